// The beginning of a verb.
#include "core/verbs/enter.hpp"

namespace vireo::core {

std::unexpected<Error> no_such_domain(const DomainRef& ref) {
  return fail(VIR_ERR_NO_DOMAIN, "no domain with matching uuid '" + ref.uuid.text() + "' (" + ref.name + ")");
}

asio::awaitable<Result<LaneHold>> enter_lane(Host& host, DomainPtr domain, Verb verb, std::source_location where) {
  auto hold = co_await domain->lane.enter(name_of(verb), Deadline::in(host.settings.lane_timeout), where);
  // The client may go now: half of a change helps nobody.
  const bool goes_on_waiting = verb == Verb::Start || verb == Verb::Create;
  if (hold && !goes_on_waiting) co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_return hold;
}

asio::awaitable<Result<Entered>> enter(Host& host, DomainRef ref, Verb verb, std::source_location where) {
  auto domain = host.registry.find(ref.uuid);
  if (!domain) co_return no_such_domain(ref);
  auto hold = co_await enter_lane(host, domain, verb, where);
  if (!hold) co_return pass_on(hold);
  if (!domain->view) co_return no_such_domain(ref);
  if (auto allowed = allow(verb, *domain->view); !allowed) co_return pass_on(allowed);
  Entered entered{std::move(domain), std::move(*hold)};
  co_return entered;
}

Result<std::shared_ptr<Run>> reachable_run(const Domain& domain) {
  if (!domain.run) return fail(VIR_ERR_OPERATION_INVALID, "domain is not running");
  if (!domain.run->guest)
    return fail(VIR_ERR_OPERATION_INVALID, "the monitor of domain '" + domain.name +
                                               "' has not answered since the daemon was restarted; try again later");
  return domain.run;
}

}  // namespace vireo::core
