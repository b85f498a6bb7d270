// What a guest tells by itself, and what follows from it: a power-off ends the process or is half of a reboot, a panic
// does what on_crash says. States and event details as libvirt's QEMU driver reports them.
#include "base/log.hpp"
#include "core/run/run.hpp"
#include "core/verbs/enter.hpp"

namespace vireo::core {
namespace {

using Kind = ports::GuestEvent::Kind;

// Ends a guest that has powered off or panicked. Its monitor still answers, so SIGTERM lets it flush its disks first.
asio::awaitable<void> end_after(Host& host, DomainPtr domain, std::shared_ptr<Run> run) {
  if (!run->up) co_return;
  if (auto ended = co_await end_run(host, run, true); ended || !run->up) co_return;
  if (auto ended = co_await end_run(host, run, false); !ended)
    log::error("guest '{}' (id {}) powered off, but its process does not end: {}", domain->name, run->id,
               ended.error().message());
}

// The second half of a reboot: the machine is reset and runs on.
asio::awaitable<void> start_anew(Host& host, DomainPtr domain, std::shared_ptr<Run> run) {
  const auto deadline = Deadline::in(host.settings.monitor_timeout);
  auto reset = co_await run->guest->reset(deadline);
  if (reset && run->up) {
    run->powered_off = false;
    reset = co_await run->guest->resume(deadline);
    if (reset) co_return;
  }
  if (!run->up) co_return;
  log::warn("guest '{}' (id {}) could not be rebooted: {}", domain->name, run->id, reset.error().message());
  co_await end_after(host, domain, run);
}

void on_poweroff(Host& host, const DomainPtr& domain, const std::shared_ptr<Run>& run, const ports::GuestEvent& event) {
  run->powered_off = true;
  if (std::exchange(run->reboot_on_poweroff, false) || run->live->on_poweroff == model::LifecycleAction::restart) {
    asio::co_spawn(host.core, start_anew(host, domain, run), asio::detached);
    return;
  }
  if (domain->view->state == VIR_DOMAIN_SHUTDOWN) return;
  publish_state(host, *domain, VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_UNKNOWN);
  emit_lifecycle(host, *domain, run->id, VIR_DOMAIN_EVENT_SHUTDOWN,
                 event.by_guest ? VIR_DOMAIN_EVENT_SHUTDOWN_GUEST : VIR_DOMAIN_EVENT_SHUTDOWN_HOST);
  if (run->live->on_poweroff == model::LifecycleAction::preserve) return;
  if (!run->ending) run->ending = Run::Ending{VIR_DOMAIN_SHUTOFF_SHUTDOWN, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN};
  asio::co_spawn(host.core, end_after(host, domain, run), asio::detached);
}

void on_panic(Host& host, const DomainPtr& domain, const std::shared_ptr<Run>& run) {
  publish_state(host, *domain, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
  emit_lifecycle(host, *domain, run->id, VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED);
  switch (run->live->on_crash) {
    case model::LifecycleAction::preserve:
      return;
    case model::LifecycleAction::restart:
    case model::LifecycleAction::rename_restart:
      asio::co_spawn(host.core, start_anew(host, domain, run), asio::detached);
      return;
    default:
      run->ending = Run::Ending{VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_CRASHED};
      asio::co_spawn(host.core, end_after(host, domain, run), asio::detached);
  }
}

void on_channel(Host& host, const DomainPtr& domain, Run& run, const ports::GuestEvent& event) {
  auto live = std::make_shared<model::DomainDef>(*run.live);
  const auto state = event.connected ? model::ChannelState::connected : model::ChannelState::disconnected;
  for (auto& channel : live->devices.channels) {
    if (channel.info.alias != event.detail || channel.state == state) continue;
    channel.state = state;
    publish_live(host, *domain, run, live);
    if (event.connected && channel.name == kAgentChannel) note_up(host, *domain, run, model::UpSign::agent);
    if (run.up) emit_agent(host, *domain, run.id, channel, VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL);
    return;
  }
}

void on_balloon(Host& host, const DomainPtr& domain, Run& run, std::uint64_t memory_kib) {
  auto live = std::make_shared<model::DomainDef>(*run.live);
  live->current_memory_kib = memory_kib;
  publish_live(host, *domain, run, std::move(live));
}

void on_event(Host& host, const DomainPtr& domain, const std::shared_ptr<Run>& run, const ports::GuestEvent& event) {
  if (event.kind == Kind::Exited) return finish_run(host, domain, run, event);
  if (!run->up) {
    run->resumed = run->resumed || event.kind == Kind::Resumed;
    // The guest's devices tell nothing before its vCPUs run, and there is a live definition by then.
    if (event.kind == Kind::ChannelChanged && run->live) on_channel(host, domain, *run, event);
    if (event.kind == Kind::BalloonChanged && run->live) on_balloon(host, domain, *run, event.memory_kib);
    if (event.kind == Kind::SaysUp) note_up(host, *domain, *run, event.sign, event.long_since);
    return;
  }
  const auto tell = [&](auto what) {
    host.events.emit({.name = domain->name, .uuid = domain->uuid, .id = run->id, .what = what});
  };
  if (event.kind == Kind::Resumed) note_running(host, *domain, *run);
  switch (event.kind) {
    case Kind::Stopped: {
      const int reason = std::exchange(run->pause_reason, std::nullopt).value_or(VIR_DOMAIN_PAUSED_UNKNOWN);
      if (run->powered_off || domain->view->state != VIR_DOMAIN_RUNNING) return;
      publish_state(host, *domain, VIR_DOMAIN_PAUSED, reason);
      emit_lifecycle(
          host, *domain, run->id, VIR_DOMAIN_EVENT_SUSPENDED,
          reason == VIR_DOMAIN_PAUSED_IOERROR ? VIR_DOMAIN_EVENT_SUSPENDED_IOERROR : VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
      return;
    }
    case Kind::Resumed: {
      const bool crashed = domain->view->state == VIR_DOMAIN_CRASHED;
      const int reason = std::exchange(run->run_reason, std::nullopt)
                             .value_or(crashed ? VIR_DOMAIN_RUNNING_CRASHED : VIR_DOMAIN_RUNNING_UNPAUSED);
      if (!crashed && domain->view->state != VIR_DOMAIN_PAUSED) return;
      publish_state(host, *domain, VIR_DOMAIN_RUNNING, reason);
      emit_lifecycle(host, *domain, run->id, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
      return;
    }
    case Kind::PowerdownDone:
      return on_poweroff(host, domain, run, event);
    case Kind::Panicked:
      return on_panic(host, domain, run);
    case Kind::Reset:
      return tell(model::RebootEvent{});
    case Kind::RtcChange:
      return tell(model::RtcChangeEvent{event.rtc_offset_s});
    case Kind::Watchdog:
      return tell(model::WatchdogEvent{});
    case Kind::IoError:
      run->pause_reason = VIR_DOMAIN_PAUSED_IOERROR;
      return;
    case Kind::ChannelChanged:
      return on_channel(host, domain, *run, event);
    case Kind::BalloonChanged:
      on_balloon(host, domain, *run, event.memory_kib);
      return tell(model::BalloonChangeEvent{event.memory_kib});
    case Kind::SaysUp:
      return note_up(host, *domain, *run, event.sign, event.long_since);
    case Kind::Exited:
      return;
  }
}

}  // namespace

ports::GuestEventSink event_sink(Host& host, const DomainPtr& domain, const std::shared_ptr<Run>& run) {
  // Weak, because the run owns the guest that holds this sink.
  return [&host, weak_domain = std::weak_ptr(domain), weak_run = std::weak_ptr(run)](const ports::GuestEvent& event) {
    const auto domain_now = weak_domain.lock();
    const auto run_now = weak_run.lock();
    if (domain_now && run_now) on_event(host, domain_now, run_now, event);
  };
}

}  // namespace vireo::core
