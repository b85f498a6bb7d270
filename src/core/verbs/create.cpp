// create: a guest from a definition that lives as long as its process.
#include "core/run/run.hpp"
#include "core/verbs/enter.hpp"

namespace vireo::core {

asio::awaitable<Result<model::DomainViewPtr>> create(Host& host, model::DomainDef definition, StartOptions options) {
  auto claim = host.registry.claim(definition.uuid, definition.name);
  if (!claim) co_return pass_on(claim);
  auto recorder = std::make_shared<ports::LaunchRecorder>();
  recorder->begin("complete");
  auto completed = co_await host.hypervisor.complete(std::move(definition));
  if (!completed) co_return pass_on(completed);
  recorder->begin("lane");
  auto hold = co_await enter_lane(host, claim->domain(), Verb::Create);
  if (!hold) co_return pass_on(hold);

  const auto& domain = claim->domain();
  if (auto same = Registry::check_name(*domain, completed->name); !same) co_return pass_on(same);
  if (domain->view)
    if (auto allowed = allow(Verb::Create, *domain->view); !allowed) co_return pass_on(allowed);
  auto shared = std::make_shared<const model::DomainDef>(std::move(*completed));
  auto up = co_await bring_up(host, domain, std::move(shared), options, recorder);
  if (!up) co_return pass_on(up);
  // The guest may have ended in the meantime; the caller still gets what it was.
  if (!domain->view) co_return fail(VIR_ERR_NO_DOMAIN, "the guest '" + domain->name + "' ended as soon as it ran");
  co_return domain->view;
}

}  // namespace vireo::core
