// Each step of a launch, and what takes it back.
#include "core/run/launch.hpp"

#include <filesystem>

#include "base/fault.hpp"
#include "base/log.hpp"
#include "core/stats/asker.hpp"

namespace vireo::core {
namespace {

// A process that could not be ended keeps its record, its folder, its labels and its claims until it has ended, be it
// in the days of another daemon.
asio::awaitable<void> forget_intent(Launch& l) {
  if (!l.remains) {
    co_await forget_record(l.host, l.run->id);
    co_return;
  }
  if (std::exchange(l.record.process, std::nullopt))
    if (auto saved = co_await l.host.store.save_run(l.record); !saved) log::error("{}", saved.error().message());
  auto first_try = std::make_shared<Wake>(l.host.core);
  asio::co_spawn(l.host.core, sweep_remains(l.host, l.run, l.record, first_try), asio::detached);
}

Result<void> make_folder(const std::string& path) {
  if (auto fault = fault::at("core.make_folder"); !fault) return fault;
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  if (error)
    return fail(VIR_ERR_SYSTEM_ERROR, "cannot create the guest's runtime folder '" + path + "': " + error.message());
  return {};
}

asio::awaitable<void> remove_files(Launch& l) {
  if (!l.remains) co_await remove_runtime_folder(l.host, l.folder());
}

asio::awaitable<void> restore_labels(Launch& l) {
  if (!l.remains) co_await l.host.labeler.restore(l.live, Deadline::in(l.host.settings.end_timeout));
}

asio::awaitable<Result<void>> label_unless_given_up(Launch& l) {
  if (l.launching->given_up) co_return given_up(l);
  l.launching->cancellable = true;
  co_return co_await l.host.labeler.label(l.live, l.deadline);
}

// Gives a guest that will not be published back: its process ends, and nobody is told.
asio::awaitable<void> end_unpublished(Launch& l) {
  if (l.run->exited) co_return;
  const auto deadline = Deadline::in(l.host.settings.end_timeout);
  Result<void> ended;
  if (l.run->guest)
    ended = co_await l.run->guest->end(false, deadline);
  else  // it takes its process back itself; this finds the one that does not end
    ended = co_await l.host.hypervisor.sweep(l.record.monitor_path, std::nullopt, deadline);
  if (ended) co_return;
  log::error("guest '{}' (id {}): {}", l.domain->name, l.run->id, ended.error().message());
  l.remains = std::move(ended.error());
}

// Asio ends the program when a coroutine is cancelled that was spawned and has not begun: only from here on it may be.
asio::awaitable<Result<ports::Launched>> launch_unless_given_up(Launch& l, ports::LaunchSpec spec) {
  if (l.launching->given_up) co_return given_up(l);
  l.launching->cancellable = true;
  co_return co_await l.host.hypervisor.launch(std::move(spec), event_sink(l.host, l.domain, l.run));
}

}  // namespace

namespace launch_steps {

Done claim(Launch& l) {
  auto id = co_await l.host.ids.next();
  if (!id) co_return pass_on(id);
  l.run->id = *id;
  l.live->id = *id;
  auto labels = l.host.labeler.choose(*l.live);
  if (!labels) co_return pass_on(labels);
  l.run->labels = std::move(*labels);
  // Given back with the run.
  if (auto claimed = claim_ports(l.host, l.domain->name, *l.live, *l.run); !claimed) co_return claimed;
  auto images = co_await claim_images(l.host, l.domain->name, l.live, l.run, l.deadline);
  if (!images) co_return pass_on(images);
  l.record = {.uuid = l.domain->uuid,
              .name = l.domain->name,
              .id = *id,
              .monitor_path = monitor_path(l.host, *id),
              .boot_id = l.host.facts.boot_id(),
              .live = l.live,
              .process = std::nullopt,
              .images = std::move(*images)};
  co_return Result<void>{};
}

Done record_intent(Launch& l) {
  l.undo.add([&l] { return forget_intent(l); });
  co_return co_await l.host.store.save_run(l.record);
}

Done make_files(Launch& l) {
  const std::string folder = l.folder();
  l.undo.add([&l] { return remove_files(l); });
  co_return co_await l.host.files.run<void>([folder] { return make_folder(folder); }, l.deadline);
}

// Before admission: a file system that takes its time takes nobody's place. Whoever gives the launch up cancels it
// here, too.
Done label(Launch& l) {
  Result<void> labelled;
  try {
    labelled = co_await asio::co_spawn(l.host.core, label_unless_given_up(l),
                                       asio::bind_cancellation_slot(l.launching->cancel.slot(), asio::use_awaitable));
  } catch (const boost::system::system_error&) {
    labelled = given_up(l);  // how a cancelled coroutine ends
    l.undo.add([&l] { return restore_labels(l); });
  }
  l.launching->cancellable = false;
  if (labelled) l.undo.add([&l] { return restore_labels(l); });
  co_return labelled;
}

Done admit(Launch& l) {
  if (const auto pinned = l.host.settings.parallel_starts; pinned > 0)
    l.host.admission.set_limit(pinned);
  else if (!std::exchange(l.host.keeps_pace, true))
    asio::co_spawn(l.host.core, keep_pace(l.host), asio::detached);
  auto place = co_await l.host.admission.enter(l.options.admission.value_or(l.deadline));
  if (!place) co_return pass_on(place);
  l.place = std::move(*place);
  l.launching->admitted = true;
  if (l.options.admission) l.deadline = Deadline::in(l.host.settings.launch_timeout);
  co_return Result<void>{};
}

// The hypervisor tells the recorder of its own steps: spawn, handshake, devices. Whoever gives the launch up
// cancels it here, where a QEMU that hangs would hold it.
Done start_process(Launch& l) {
  ports::LaunchSpec spec{.definition = l.live,
                         .id = l.run->id,
                         .monitor_path = l.record.monitor_path,
                         .runtime_dir = l.folder(),
                         .log_path = l.host.settings.log_dir + "/" + l.domain->name + ".log",
                         .deadline = l.deadline,
                         .recorder = l.recorder};
  l.undo.add([&l] { return end_unpublished(l); });
  Result<ports::Launched> launched;
  try {
    launched = co_await asio::co_spawn(l.host.core, launch_unless_given_up(l, std::move(spec)),
                                       asio::bind_cancellation_slot(l.launching->cancel.slot(), asio::use_awaitable));
  } catch (const boost::system::system_error&) {
    launched = given_up(l);  // how a cancelled coroutine ends
  }
  l.launching->cancellable = false;
  if (!launched) co_return pass_on(launched);
  l.run->guest = std::move(launched->guest);
  l.run->live = launched->live;
  note_process(l.host, *l.run, *l.recorder);
  co_return Result<void>{};
}

Done record_process(Launch& l) {
  l.place = {};  // what is left of the launch is no work for the processors
  l.record.process = l.run->guest->process();
  l.record.live = l.run->live;
  l.record.state = l.options.paused ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING;
  l.record.reason = l.options.paused ? int{VIR_DOMAIN_PAUSED_USER} : int{VIR_DOMAIN_RUNNING_BOOTED};
  co_return co_await l.host.store.save_run(l.record);
}

Done let_run(Launch& l) {
  if (l.options.paused) co_return Result<void>{};
  auto resumed = co_await l.run->guest->resume(l.deadline);
  if (resumed) note_running(l.host, *l.domain, *l.run);
  co_return resumed;
}

Done publish(Launch& l) {
  if (l.run->exited) co_return fail(VIR_ERR_INTERNAL_ERROR, "the guest's process ended while it was being started");
  Domain& domain = *l.domain;
  model::DomainView view = domain.view ? *domain.view : model::DomainView{.uuid = domain.uuid, .name = domain.name};
  view.id = l.run->id;
  view.live = l.run->live;
  view.state = l.record.state;
  view.reason = l.record.reason;
  view.pid = l.record.process->pid;
  l.run->record = l.record;
  domain.run = l.run;
  l.run->up = true;
  begin_asking(l.host, l.domain, l.run, l.record.process->pid, true);
  view.last_launch = l.recorder->finish({});
  view.boot = l.run->boot.times;
  l.host.boots.succeeded(view.last_launch);
  save_boot(l.host, *l.run);
  l.host.registry.publish(domain, std::move(view));
  // In libvirt's order, which subscribers may rely on.
  const int id = l.run->id;
  for (const auto& channel : l.run->live->devices.channels)
    emit_agent(l.host, domain, id, channel, VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_DOMAIN_STARTED);
  if (l.run->resumed) emit_lifecycle(l.host, domain, id, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
  emit_lifecycle(l.host, domain, id, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED);
  if (l.options.paused)
    emit_lifecycle(l.host, domain, id, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
  co_return Result<void>{};
}

}  // namespace launch_steps

}  // namespace vireo::core
