// define: a new persistent definition, or a new one for a guest that exists.
#include "core/verbs/enter.hpp"

namespace vireo::core {

asio::awaitable<Result<model::DomainViewPtr>> define(Host& host, model::DomainDef definition) {
  auto claim = host.registry.claim(definition.uuid, definition.name);
  if (!claim) co_return pass_on(claim);
  auto completed = co_await host.hypervisor.complete(std::move(definition));
  if (!completed) co_return pass_on(completed);
  auto hold = co_await enter_lane(host, claim->domain(), Verb::Define);
  if (!hold) co_return pass_on(hold);

  Domain& domain = *claim->domain();
  if (auto same = Registry::check_name(domain, completed->name); !same) co_return pass_on(same);
  const bool existed = domain.view && domain.view->persistent;
  auto shared = std::make_shared<const model::DomainDef>(std::move(*completed));
  const bool autostart = existed && domain.view->autostart;
  auto saved = co_await host.store.save_definition({.definition = shared, .autostart = autostart});
  if (!saved) co_return pass_on(saved);

  model::DomainView view = domain.view ? *domain.view : model::DomainView{.uuid = domain.uuid, .name = domain.name};
  view.persistent = shared;
  view.updated = view.active();
  host.registry.publish(domain, std::move(view));
  host.events.emit({.name = domain.name,
                    .uuid = domain.uuid,
                    .id = domain.view->id,
                    .what = model::LifecycleEvent{VIR_DOMAIN_EVENT_DEFINED, existed ? VIR_DOMAIN_EVENT_DEFINED_UPDATED
                                                                                    : VIR_DOMAIN_EVENT_DEFINED_ADDED}});
  co_return domain.view;
}

}  // namespace vireo::core
