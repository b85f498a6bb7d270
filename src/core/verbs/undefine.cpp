// undefine: the definition goes; a guest that runs stays until it ends.
#include "core/verbs/enter.hpp"

namespace vireo::core {

asio::awaitable<Result<void>> undefine(Host& host, DomainRef ref) {
  auto entered = co_await enter(host, std::move(ref), Verb::Undefine);
  if (!entered) co_return pass_on(entered);
  Domain& domain = *entered->domain;
  if (auto removed = co_await host.store.remove_definition(domain.uuid); !removed) co_return pass_on(removed);

  const int id = domain.view->id;
  if (domain.view->active()) {
    model::DomainView view = *domain.view;
    view.persistent = nullptr;
    view.autostart = false;
    host.registry.publish(domain, std::move(view));
  } else {
    host.registry.withdraw(domain);
  }
  host.events.emit({.name = domain.name,
                    .uuid = domain.uuid,
                    .id = id,
                    .what = model::LifecycleEvent{VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_REMOVED}});
  co_return Result<void>{};
}

}  // namespace vireo::core
