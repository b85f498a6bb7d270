// The launch of a guest, step by step, each with its undo on the next line. The order keeps every promise about
// crashes: the intent is durable before a process exists, the process is recorded before its vCPUs run, and the guest
// is published only when it does run.
#include <filesystem>

#include "base/log.hpp"
#include "core/run/run.hpp"
#include "core/unwind.hpp"

namespace vireo::core {
namespace {

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  if (error)
    return fail(VIR_ERR_SYSTEM_ERROR, "cannot create the guest's runtime folder '" + path + "': " + error.message());
  return {};
}

// Gives a guest that will not be published back: its process ends, and nobody is told.
asio::awaitable<void> end_unpublished(Host& host, std::shared_ptr<Run> run) {
  if (!run->exited) co_await run->guest->end(false, Deadline::in(host.settings.end_timeout));
}

asio::awaitable<Result<void>> launch_steps(Host& host, DomainPtr domain, model::DomainDefPtr definition,
                                           StartOptions options, Unwind& undo) {
  auto id = co_await host.ids.next();
  if (!id) co_return pass_on(id);

  auto run = std::make_shared<Run>();
  run->id = *id;
  auto live = std::make_shared<model::DomainDef>(*definition);
  live->id = *id;
  auto ports = claim_ports(host, *live);
  if (!ports) co_return pass_on(ports);
  run->ports = std::move(*ports);  // given back with the run

  const auto deadline = Deadline::in(host.settings.launch_timeout);
  ports::LaunchSpec spec{.definition = live,
                         .id = *id,
                         .runtime_dir = runtime_folder(host, *id),
                         .log_path = host.settings.log_dir + "/" + domain->name + ".log",
                         .deadline = deadline};
  spec.monitor_path = spec.runtime_dir + "/monitor.sock";
  const std::string folder = spec.runtime_dir;
  auto made = co_await host.files.run<void>([folder] { return make_folder(folder); }, deadline);
  undo.add([&host, folder] { return remove_runtime_folder(host, folder); });
  if (!made) co_return pass_on(made);

  ports::RunRecord record{.uuid = domain->uuid,
                          .name = domain->name,
                          .id = *id,
                          .monitor_path = spec.monitor_path,
                          .boot_id = host.facts.boot_id(),
                          .live = live,
                          .process = std::nullopt};
  auto intent = co_await host.store.save_run(record);
  undo.add([&host, run] { return forget_record(host, run->id); });
  if (!intent) co_return pass_on(intent);

  auto launched = co_await host.hypervisor.launch(std::move(spec), event_sink(host, domain, run));
  if (!launched) co_return pass_on(launched);
  run->guest = std::move(launched->guest);
  run->live = launched->live;
  undo.add([&host, run] { return end_unpublished(host, run); });

  record.process = run->guest->process();
  record.live = run->live;
  record.state = options.paused ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING;
  record.reason = options.paused ? int{VIR_DOMAIN_PAUSED_USER} : int{VIR_DOMAIN_RUNNING_BOOTED};
  if (auto recorded = co_await host.store.save_run(record); !recorded) co_return pass_on(recorded);

  if (!options.paused)
    if (auto resumed = co_await run->guest->resume(deadline); !resumed) co_return pass_on(resumed);
  if (run->exited) co_return fail(VIR_ERR_INTERNAL_ERROR, "the guest's process ended while it was being started");

  model::DomainView view = domain->view ? *domain->view : model::DomainView{.uuid = domain->uuid, .name = domain->name};
  view.id = *id;
  view.live = run->live;
  view.state = record.state;
  view.reason = record.reason;
  view.pid = record.process->pid;
  domain->run = run;
  run->up = true;
  host.registry.publish(*domain, std::move(view));
  // In libvirt's order, which subscribers may rely on.
  for (const auto& channel : run->live->devices.channels)
    emit_agent(host, *domain, *id, channel, VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_DOMAIN_STARTED);
  if (run->resumed) emit_lifecycle(host, *domain, *id, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
  emit_lifecycle(host, *domain, *id, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED);
  if (options.paused) emit_lifecycle(host, *domain, *id, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
  co_return Result<void>{};
}

}  // namespace

asio::awaitable<Result<void>> bring_up(Host& host, DomainPtr domain, model::DomainDefPtr definition,
                                       StartOptions options) {
  Unwind undo;
  auto done = co_await launch_steps(host, domain, std::move(definition), options, undo);
  if (done) {
    undo.keep();
    log::info("guest '{}' runs with id {}", domain->name, domain->view->id);
    co_return done;
  }
  co_await undo.unwind();
  log::warn("guest '{}' did not start: {}", domain->name, done.error().message());
  if (domain->view && !domain->view->active()) {
    model::DomainView view = *domain->view;
    view.state = VIR_DOMAIN_SHUTOFF;
    view.reason = VIR_DOMAIN_SHUTOFF_FAILED;
    host.registry.publish(*domain, std::move(view));
  }
  co_return done;
}

}  // namespace vireo::core
