// reset, shutdown and reboot: the three buttons of a machine's front panel.
#include "core/verbs/enter.hpp"

namespace vireo::core {

asio::awaitable<Result<void>> reset(Host& host, DomainRef ref) {
  auto entered = co_await enter(host, std::move(ref), Verb::Reset);
  if (!entered) co_return pass_on(entered);
  auto run = reachable_run(*entered->domain);
  if (!run) co_return pass_on(run);
  co_return co_await (*run)->guest->reset(Deadline::in(host.settings.monitor_timeout));
}

asio::awaitable<Result<void>> shutdown(Host& host, DomainRef ref) {
  auto entered = co_await enter(host, std::move(ref), Verb::Shutdown);
  if (!entered) co_return pass_on(entered);
  auto run = reachable_run(*entered->domain);
  if (!run) co_return pass_on(run);
  (*run)->reboot_on_poweroff = false;
  co_return co_await (*run)->guest->press_power_button(Deadline::in(host.settings.monitor_timeout));
}

asio::awaitable<Result<void>> reboot(Host& host, DomainRef ref) {
  auto entered = co_await enter(host, std::move(ref), Verb::Reboot);
  if (!entered) co_return pass_on(entered);
  auto run = reachable_run(*entered->domain);
  if (!run) co_return pass_on(run);
  (*run)->reboot_on_poweroff = true;
  auto pressed = co_await (*run)->guest->press_power_button(Deadline::in(host.settings.monitor_timeout));
  if (!pressed) (*run)->reboot_on_poweroff = false;
  co_return pressed;
}

}  // namespace vireo::core
