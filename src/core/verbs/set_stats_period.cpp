// set_stats_period: how often the balloon's driver in the guest reports what the guest does with its memory.
#include "core/verbs/edit.hpp"
#include "core/verbs/enter.hpp"

namespace vireo::core {
namespace {

DefinitionEdit period_of(unsigned seconds) {
  return [seconds](model::DomainDef& definition) -> Result<void> {
    auto& balloon = definition.devices.memballoon;
    if (!balloon || balloon->model == model::BalloonModel::none)
      return fail(VIR_ERR_INTERNAL_ERROR, "No memory balloon device configured, can not set the collection period");
    balloon->stats_period_s = seconds > 0 ? std::optional(seconds) : std::nullopt;
    return {};
  };
}

}  // namespace

asio::awaitable<Result<void>> set_stats_period(Host& host, DomainRef ref, unsigned seconds, unsigned flags) {
  auto entered = co_await enter(host, std::move(ref), Verb::SetStatsPeriod);
  if (!entered) co_return pass_on(entered);
  auto edit = period_of(seconds);
  auto edited = prepare_edit(*entered->domain, edit, flags);
  if (!edited) co_return pass_on(edited);
  if (edited->live) {
    const auto deadline = Deadline::in(host.settings.monitor_timeout);
    auto told = co_await edited->run->guest->set_balloon_period(static_cast<int>(seconds), deadline);
    if (!told) co_return told;
  }
  co_return co_await keep_edit(host, entered->domain, std::move(*edited), std::move(edit));
}

}  // namespace vireo::core
