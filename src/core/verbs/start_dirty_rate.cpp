// start_dirty_rate: the guest's memory is watched for a while, to learn how fast the guest changes it. The outcome is a
// statistic like others.
#include "core/stats/asker.hpp"
#include "core/verbs/enter.hpp"

namespace vireo::core {

asio::awaitable<Result<void>> start_dirty_rate(Host& host, DomainRef ref, int seconds, DirtyRateMode mode) {
  auto entered = co_await enter(host, std::move(ref), Verb::StartDirtyRate);
  if (!entered) co_return pass_on(entered);
  auto run = reachable_run(*entered->domain);
  if (!run) co_return pass_on(run);
  // No guest of Vireo's has it.
  if (mode == DirtyRateMode::ring)
    co_return fail(VIR_ERR_OPERATION_UNSUPPORTED, "dirty-ring calculation mode requires dirty-ring feature enabled.");
  // QEMU 7.2 that emulates the processor ends when it is asked for this.
  if (mode == DirtyRateMode::bitmap && (*run)->live->type != model::VirtType::kvm)
    co_return fail(VIR_ERR_OPERATION_UNSUPPORTED, "dirty-bitmap calculation mode needs KVM");
  const std::string word = mode == DirtyRateMode::bitmap ? "dirty-bitmap" : "page-sampling";
  auto begun = co_await (*run)->guest->start_dirty_rate(seconds, word, Deadline::in(host.settings.monitor_timeout));
  if (begun && (*run)->asker) (*run)->asker->dirty_rate_begun(word);
  co_return begun;
}

}  // namespace vireo::core
