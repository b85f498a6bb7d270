// destroy: ends the process. It does not wait for the lane of a guest that runs: a verb that hangs on the guest's
// monitor holds it, and ending the process is what frees both.
#include "core/run/run.hpp"
#include "core/verbs/enter.hpp"

namespace vireo::core {

namespace {

// A guest that is just being started: the launch fails, and takes back what it has done so far.
bool give_up_launch(Domain& domain) {
  if (!domain.launching) return false;
  domain.launching->give_up();
  return true;
}

}  // namespace

asio::awaitable<Result<void>> destroy(Host& host, DomainRef ref, bool gentle) {
  auto domain = host.registry.find(ref.uuid);
  if (!domain) co_return no_such_domain(ref);
  if (!domain->run) {
    const bool gave_up = give_up_launch(*domain);
    auto hold = co_await enter_lane(host, domain, Verb::Destroy);
    if (!hold) co_return pass_on(hold);
    if (!domain->view) co_return no_such_domain(ref);
    if (gave_up && !domain->run) co_return Result<void>{};
  }
  if (auto allowed = allow(Verb::Destroy, *domain->view); !allowed) co_return allowed;
  auto run = domain->run;
  if (!run) co_return fail(VIR_ERR_OPERATION_INVALID, "domain is not running");
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  run->ending = Run::Ending{VIR_DOMAIN_SHUTOFF_DESTROYED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED};
  Result<void> ended;
  if (run->guest)
    ended = co_await end_run(host, run, gentle);
  else
    ended = co_await end_unreached(host, domain, run);
  // It runs on: what ends it later is something else.
  if (!ended) run->ending.reset();
  co_return ended;
}

}  // namespace vireo::core
