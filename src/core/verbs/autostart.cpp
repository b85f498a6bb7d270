// set_autostart: whether the guest is started with the host.
#include "core/verbs/enter.hpp"

namespace vireo::core {

asio::awaitable<Result<void>> set_autostart(Host& host, DomainRef ref, bool on) {
  auto entered = co_await enter(host, std::move(ref), Verb::SetAutostart);
  if (!entered) co_return pass_on(entered);
  Domain& domain = *entered->domain;
  if (domain.view->autostart == on) co_return Result<void>{};
  auto saved = co_await host.store.save_definition({.definition = domain.view->persistent, .autostart = on});
  if (!saved) co_return saved;
  model::DomainView view = *domain.view;
  view.autostart = on;
  host.registry.publish(domain, std::move(view));
  co_return Result<void>{};
}

}  // namespace vireo::core
