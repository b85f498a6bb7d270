// monitor_command: a raw question to the guest's monitor.
#include "core/verbs/enter.hpp"

namespace vireo::core {

asio::awaitable<Result<std::string>> monitor_command(Host& host, DomainRef ref, std::string command, bool human) {
  auto domain = host.registry.find(ref.uuid);
  if (!domain) co_return no_such_domain(ref);
  if (auto allowed = allow(Verb::MonitorCommand, *domain->view); !allowed) co_return pass_on(allowed);
  auto run = reachable_run(*domain);
  if (!run) co_return pass_on(run);
  if (!domain->view->tainted_by_monitor) {
    model::DomainView view = *domain->view;
    view.tainted_by_monitor = true;
    host.registry.publish(*domain, std::move(view));
  }
  co_return co_await (*run)->guest->monitor_command(std::move(command), human,
                                                    Deadline::in(host.settings.monitor_timeout));
}

}  // namespace vireo::core
