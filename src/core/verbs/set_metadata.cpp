// set_metadata: what a definition says for people and applications, changed in place. QEMU is told nothing of it.
#include "core/run/run.hpp"
#include "core/verbs/enter.hpp"

namespace vireo::core {
namespace {

// Which definitions the flags mean: CURRENT is the live one of a guest that runs.
Result<unsigned> affected(const model::DomainView& domain, unsigned flags) {
  if ((flags & VIR_DOMAIN_AFFECT_LIVE) && !domain.active())
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain is not running");
  if ((flags & VIR_DOMAIN_AFFECT_CONFIG) && !domain.persistent)
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "transient domains do not have any persistent config");
  if (flags != VIR_DOMAIN_AFFECT_CURRENT) return flags;
  return domain.active() ? VIR_DOMAIN_AFFECT_LIVE : VIR_DOMAIN_AFFECT_CONFIG;
}

Result<model::DomainDefPtr> edited(const model::DomainDefPtr& definition, const MetadataEdit& edit) {
  auto copy = std::make_shared<model::DomainDef>(*definition);
  if (auto done = edit(*copy); !done) return pass_on(done);
  return copy;
}

asio::awaitable<Result<void>> change_config(Host& host, DomainPtr domain, model::DomainDefPtr definition) {
  auto saved = co_await host.store.save_definition({.definition = definition, .autostart = domain->view->autostart});
  if (!saved) co_return saved;
  model::DomainView view = *domain->view;
  view.persistent = std::move(definition);
  host.registry.publish(*domain, std::move(view));
  co_return Result<void>{};
}

asio::awaitable<Result<void>> change_live(Host& host, DomainPtr domain, std::shared_ptr<Run> run, MetadataEdit edit,
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

asio::awaitable<Result<void>> set_metadata(Host& host, DomainRef ref, MetadataEdit edit, unsigned flags,
                                           model::MetadataChangeEvent what) {
  auto entered = co_await enter(host, std::move(ref), Verb::SetMetadata);
  if (!entered) co_return pass_on(entered);
  const auto& domain = entered->domain;
  auto which = affected(*domain->view, flags);
  if (!which) co_return pass_on(which);
  std::shared_ptr<Run> run;
  model::DomainDefPtr live, config;
  if (*which & VIR_DOMAIN_AFFECT_LIVE) {
    auto reached = reachable_run(*domain);  // until then, what takes the guest over may still replace its definition
    if (!reached) co_return pass_on(reached);
    run = std::move(*reached);
    auto made = edited(domain->view->live, edit);
    if (!made) co_return pass_on(made);
    live = std::move(*made);
  }
  if (*which & VIR_DOMAIN_AFFECT_CONFIG) {
    auto made = edited(domain->view->persistent, edit);
    if (!made) co_return pass_on(made);
    config = std::move(*made);
  }
  if (live)
    if (auto done = co_await change_live(host, domain, run, edit, std::move(live)); !done) co_return done;
  if (config)
    if (auto done = co_await change_config(host, domain, std::move(config)); !done) co_return done;
  if (domain->view)
    host.events.emit({.name = domain->name, .uuid = domain->uuid, .id = domain->view->id, .what = std::move(what)});
  co_return Result<void>{};
}

}  // namespace vireo::core
