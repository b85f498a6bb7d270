// suspend: the vCPUs stop.
#include "core/run/run.hpp"
#include "core/verbs/enter.hpp"

namespace vireo::core {

asio::awaitable<Result<void>> suspend(Host& host, DomainRef ref) {
  auto entered = co_await enter(host, std::move(ref), Verb::Suspend);
  if (!entered) co_return pass_on(entered);
  auto& domain = *entered->domain;
  auto run = reachable_run(domain);
  if (!run) co_return pass_on(run);
  if (domain.view->state == VIR_DOMAIN_PAUSED) co_return Result<void>{};
  // The monitor's STOP event publishes the new state, with this reason.
  (*run)->pause_reason = VIR_DOMAIN_PAUSED_USER;
  auto paused = co_await (*run)->guest->pause(Deadline::in(host.settings.monitor_timeout));
  if (paused)
    co_await make_state_durable(host, entered->domain);
  else
    (*run)->pause_reason.reset();
  co_return paused;
}

}  // namespace vireo::core
