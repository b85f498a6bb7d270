// Copies first, then the disk, then everybody else.
#include "core/verbs/edit.hpp"

#include "core/run/run.hpp"
#include "core/verbs/enter.hpp"

namespace vireo::core {
namespace {

// Which definitions the flags mean.
Result<unsigned> affected(const model::DomainView& domain, unsigned flags) {
  if ((flags & VIR_DOMAIN_AFFECT_LIVE) && !domain.active())
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain is not running");
  if ((flags & VIR_DOMAIN_AFFECT_CONFIG) && !domain.persistent)
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "transient domains do not have any persistent config");
  if (flags != VIR_DOMAIN_AFFECT_CURRENT) return flags;
  return domain.active() ? VIR_DOMAIN_AFFECT_LIVE : VIR_DOMAIN_AFFECT_CONFIG;
}

Result<model::DomainDefPtr> edited(const model::DomainDefPtr& definition, const DefinitionEdit& edit) {
  auto copy = std::make_shared<model::DomainDef>(*definition);
  if (auto done = edit(*copy); !done) return pass_on(done);
  return copy;
}

asio::awaitable<Result<void>> keep_config(Host& host, DomainPtr domain, model::DomainDefPtr definition) {
  auto saved = co_await host.store.save_definition({.definition = definition, .autostart = domain->view->autostart});
  if (!saved) co_return saved;
  model::DomainView view = *domain->view;
  view.persistent = std::move(definition);
  host.registry.publish(*domain, std::move(view));
  co_return Result<void>{};
}

asio::awaitable<Result<void>> keep_live(Host& host, DomainPtr domain, std::shared_ptr<Run> run, DefinitionEdit edit,
                                        model::DomainDefPtr live) {
  auto record = run->record;
  record.live = std::move(live);
  record.state = domain->view->state;
  record.reason = domain->view->reason;
  auto saved = co_await host.store.save_run(record);
  if (!saved) co_return saved;
  run->record = std::move(record);
  if (domain->run != run) co_return Result<void>{};  // it has ended
  // The guest itself may have changed other parts meanwhile.
  auto now = edited(run->live, edit);
  if (!now) co_return pass_on(now);
  publish_live(host, *domain, *run, std::move(*now));
  co_return Result<void>{};
}

}  // namespace

Result<Edited> prepare_edit(const Domain& domain, const DefinitionEdit& edit, unsigned flags) {
  auto which = affected(*domain.view, flags);
  if (!which) return pass_on(which);
  Edited out;
  if (*which & VIR_DOMAIN_AFFECT_LIVE) {
    auto reached = reachable_run(domain);  // until then, what takes the guest over may still replace its definition
    if (!reached) return pass_on(reached);
    out.run = std::move(*reached);
    auto made = edited(domain.view->live, edit);
    if (!made) return pass_on(made);
    out.live = std::move(*made);
  }
  if (*which & VIR_DOMAIN_AFFECT_CONFIG) {
    auto made = edited(domain.view->persistent, edit);
    if (!made) return pass_on(made);
    out.config = std::move(*made);
  }
  return out;
}

asio::awaitable<Result<void>> keep_edit(Host& host, DomainPtr domain, Edited edited, DefinitionEdit edit) {
  if (edited.live)
    if (auto done = co_await keep_live(host, domain, edited.run, std::move(edit), std::move(edited.live)); !done)
      co_return done;
  if (edited.config)
    if (auto done = co_await keep_config(host, domain, std::move(edited.config)); !done) co_return done;
  co_return Result<void>{};
}

}  // namespace vireo::core
