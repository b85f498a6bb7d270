// resume: the vCPUs run again.
#include "core/run/run.hpp"
#include "core/verbs/enter.hpp"

namespace vireo::core {

asio::awaitable<Result<void>> resume(Host& host, DomainRef ref) {
  auto entered = co_await enter(host, std::move(ref), Verb::Resume);
  if (!entered) co_return pass_on(entered);
  auto run = reachable_run(*entered->domain);
  if (!run) co_return pass_on(run);
  // The monitor's RESUME event publishes the new state, with this reason.
  (*run)->run_reason = VIR_DOMAIN_RUNNING_UNPAUSED;
  auto resumed = co_await (*run)->guest->resume(Deadline::in(host.settings.monitor_timeout));
  if (resumed)
    co_await make_state_durable(host, entered->domain);
  else
    (*run)->run_reason.reset();
  co_return resumed;
}

}  // namespace vireo::core
