// Publishing a running guest's state, and telling about it.
#include "core/run/run.hpp"

namespace vireo::core {
namespace {

asio::awaitable<void> record_state(Host& host, int id, int state, int reason) {
  // A state that could not be recorded is learnt again from the monitor after a restart.
  co_await host.store.save_run_state(id, state, reason);
}

}  // namespace

void publish_state(Host& host, Domain& domain, int state, int reason) {
  if (!domain.view || domain.view->state == state) return;
  model::DomainView next = *domain.view;
  next.state = state;
  next.reason = reason;
  host.registry.publish(domain, std::move(next));
  if (domain.run) asio::co_spawn(host.core, record_state(host, domain.run->id, state, reason), asio::detached);
}

void emit_lifecycle(Host& host, const Domain& domain, int id, int event, int detail) {
  host.events.emit({.name = domain.name, .uuid = domain.uuid, .id = id, .what = model::LifecycleEvent{event, detail}});
}

}  // namespace vireo::core
