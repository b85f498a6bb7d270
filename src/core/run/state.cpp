// Publishing a running guest's state, and telling about it.
#include "base/log.hpp"
#include "core/run/run.hpp"

namespace vireo::core {
namespace {

asio::awaitable<void> record_state(Host& host, int id, int state, int reason) {
  // What is not recorded is learnt again from the monitor after a restart, but for the reason.
  if (auto saved = co_await host.store.save_run_state(id, state, reason); !saved)
    log::error("the state of guest id {} could not be recorded: {}", id, saved.error().message());
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

void publish_live(Host& host, Domain& domain, Run& run, model::DomainDefPtr live) {
  run.live = std::move(live);
  if (!run.up) return;
  model::DomainView next = *domain.view;
  next.live = run.live;
  host.registry.publish(domain, std::move(next));
}

void emit_agent(Host& host, const Domain& domain, int id, const model::Channel& channel, int reason) {
  if (channel.name != kAgentChannel) return;
  const int state = channel.state == model::ChannelState::connected
                        ? VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
                        : VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED;
  host.events.emit(
      {.name = domain.name, .uuid = domain.uuid, .id = id, .what = model::AgentLifecycleEvent{state, reason}});
}

asio::awaitable<void> make_state_durable(Host& host, DomainPtr domain) {
  if (domain->view && domain->view->active())
    co_await record_state(host, domain->view->id, domain->view->state, domain->view->reason);
}

void emit_lifecycle(Host& host, const Domain& domain, int id, int event, int detail) {
  host.events.emit({.name = domain.name, .uuid = domain.uuid, .id = id, .what = model::LifecycleEvent{event, detail}});
}

}  // namespace vireo::core
