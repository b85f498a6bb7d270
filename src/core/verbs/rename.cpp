// rename: a guest that is shut off gets another name. Everything else of it stays, also its UUID and autostart mark.
#include "core/verbs/enter.hpp"

namespace vireo::core {

asio::awaitable<Result<void>> rename(Host& host, DomainRef ref, std::string name) {
  auto entered = co_await enter(host, std::move(ref), Verb::Rename);
  if (!entered) co_return pass_on(entered);
  Domain& domain = *entered->domain;
  auto claim = host.registry.claim_name(entered->domain, name);
  if (!claim) co_return pass_on(claim);

  auto definition = std::make_shared<model::DomainDef>(*domain.view->persistent);
  definition->name = name;
  // The row is replaced in one transaction: after a crash the guest has one of the two names.
  auto saved = co_await host.store.save_definition({.definition = definition, .autostart = domain.view->autostart});
  if (!saved) co_return saved;

  const std::string old = domain.name;
  model::DomainView view = *domain.view;
  view.name = name;
  view.persistent = std::move(definition);
  host.registry.rename(std::move(*claim), std::move(view));
  const auto tell = [&](const std::string& as, int event, int detail) {
    host.events.emit({.name = as, .uuid = domain.uuid, .what = model::LifecycleEvent{event, detail}});
  };
  tell(old, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_RENAMED);
  tell(name, VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_RENAMED);
  co_return Result<void>{};
}

}  // namespace vireo::core
