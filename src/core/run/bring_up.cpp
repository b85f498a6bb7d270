// The launch of a guest. `steps` below is the order of everything; each step registers its undo beside what it does,
// and each is timed. The order keeps every promise about crashes: the intent is durable before anything outside is
// changed for good, the process is recorded before its vCPUs run, and the guest is published only when it does run.
#include <filesystem>

#include "base/fault.hpp"
#include "base/log.hpp"
#include "core/run/run.hpp"
#include "core/unwind.hpp"

namespace vireo::core {
namespace {

using Done = asio::awaitable<Result<void>>;

// What the steps hand to each other.
struct Launch {
  Host& host;
  DomainPtr domain;
  StartOptions options;
  std::shared_ptr<Launching> launching;
  ports::LaunchRecorderPtr recorder;
  Deadline deadline;

  std::shared_ptr<model::DomainDef> live;
  std::shared_ptr<Run> run = std::make_shared<Run>();
  ports::RunRecord record;
  Admission::Place place;
  Unwind undo;
  std::optional<Error> remains;  // why its process could not be ended
  bool caller_gone = false;      // while the launch was waiting for admission, or before

  std::string folder() const { return runtime_folder(host, run->id); }
};

std::unexpected<Error> given_up(const Launch& launch) {
  return fail(VIR_ERR_OPERATION_FAILED,
              "domain '" + launch.domain->name + "' was destroyed while it was being started");
}

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

// From the first thing that has to be taken back: that the caller goes is kept in mind, and ends no step half-way.
asio::awaitable<void> hold_back_cancellation() {
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation(),
                                                     asio::disable_cancellation());
}

// Whose client has gone meanwhile does not get in line. In the line, where others decide how long it takes, the client
// may go, too; once the launch is admitted it is brought to its end, since half of it helps nobody.
Done admit(Launch& l) {
  const auto gone = fail(VIR_ERR_OPERATION_ABORTED, "the caller of the start of '" + l.domain->name + "' has gone");
  const auto seen = co_await asio::this_coro::cancellation_state;
  l.caller_gone = seen.cancelled() != asio::cancellation_type::none;
  if (l.caller_gone) co_return gone;
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_await asio::this_coro::throw_if_cancelled(true);
  Result<Admission::Place> place = gone;
  try {
    place = co_await l.host.admission.enter(l.host.settings.parallel_starts, l.deadline);
  } catch (const boost::system::system_error&) {
    place = gone;  // how a cancelled coroutine ends
  }
  const auto since = co_await asio::this_coro::cancellation_state;
  l.caller_gone = since.cancelled() != asio::cancellation_type::none;
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await asio::this_coro::throw_if_cancelled(false);
  if (l.caller_gone) co_return gone;
  if (!place) co_return pass_on(place);
  l.place = std::move(*place);
  co_return Result<void>{};
}

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

Done record_intent(Launch& l) {
  co_await hold_back_cancellation();
  l.undo.add([&l] { return forget_intent(l); });
  co_return co_await l.host.store.save_run(l.record);
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

Done make_files(Launch& l) {
  const std::string folder = l.folder();
  l.undo.add([&l] { return remove_files(l); });
  co_return co_await l.host.files.run<void>([folder] { return make_folder(folder); }, l.deadline);
}

asio::awaitable<void> restore_labels(Launch& l) {
  if (!l.remains) co_await l.host.labeler.restore(l.live, Deadline::in(l.host.settings.end_timeout));
}

asio::awaitable<Result<void>> label_unless_given_up(Launch& l) {
  if (l.launching->given_up) co_return given_up(l);
  l.launching->cancellable = true;
  co_return co_await l.host.labeler.label(l.live, l.deadline);
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
  co_return co_await l.run->guest->resume(l.deadline);
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
  domain.run = l.run;
  l.run->up = true;
  view.last_launch = l.recorder->finish({});
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

struct Step {
  const char* name;
  Done (*take)(Launch&);
};

// The lane was entered before, and is timed by whoever did it.
constexpr Step steps[] = {
    {"claim", claim},     {"persist", record_intent},      {"files", make_files},       {"label", label},
    {"admission", admit}, {"capabilities", start_process}, {"persist", record_process}, {"continue", let_run},
    {"publish", publish},
};

Done take_steps(Launch& l) {
  for (const auto& step : steps) {
    if (l.launching->given_up) co_return given_up(l);
    l.recorder->begin(step.name);
    auto done = co_await step.take(l);
    if (!done && l.launching->given_up) co_return given_up(l);
    if (!done) co_return done;
  }
  co_return Result<void>{};
}

// A guest that did not start tells why to those who ask later.
void publish_failure(Launch& l, const std::string& why) {
  if (!l.domain->view) return;
  model::DomainView view = *l.domain->view;
  view.last_launch = l.recorder->finish(why);
  view.state = VIR_DOMAIN_SHUTOFF;
  view.reason = VIR_DOMAIN_SHUTOFF_FAILED;
  l.host.registry.publish(*l.domain, std::move(view));
}

// QEMU says which file it cannot open; what is in its way, the labeler knows.
asio::awaitable<void> add_what_is_in_the_way(Launch& l, Error& error) {
  if (!error.detail.contains("Permission denied") && !error.detail.contains("No such file")) co_return;
  constexpr auto kPatience = std::chrono::seconds(1);
  auto files = co_await l.host.labeler.explain(l.live, true, Deadline::in(kPatience));
  if (!files) co_return;
  for (const auto& file : *files)
    if (!file.allowed && error.detail.contains(file.path) && !error.detail.contains(file.why)) {
      error.detail += "; " + file.why;
      co_return;
    }
}

// Marks the launch as being under way, for as long as it is.
class UnderWay {
 public:
  explicit UnderWay(DomainPtr domain) : domain_(std::move(domain)) {
    domain_->launching = std::make_shared<Launching>();
  }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() { domain_->launching = nullptr; }

 private:
  DomainPtr domain_;
};

}  // namespace

asio::awaitable<Result<void>> bring_up(Host& host, DomainPtr domain, model::DomainDefPtr definition,
                                       StartOptions options, ports::LaunchRecorderPtr recorder) {
  const UnderWay under_way(domain);
  Launch launch{.host = host,
                .domain = domain,
                .options = options,
                .launching = domain->launching,
                .recorder = std::move(recorder),
                .deadline = Deadline::in(host.settings.launch_timeout),
                .live = std::make_shared<model::DomainDef>(*definition)};
  auto done = co_await take_steps(launch);
  if (done) {
    launch.undo.keep();
    log::info("guest '{}' runs with id {}", domain->name, launch.run->id);
    co_return done;
  }
  launch.recorder->begin("undo");
  const bool asked_to_end = launch.launching->given_up || launch.caller_gone;
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  // While the files are still the guest's.
  if (!asked_to_end) co_await add_what_is_in_the_way(launch, done.error());
  co_await launch.undo.unwind();
  if (launch.remains) done.error().detail += "; what was started of it cannot be ended: " + launch.remains->detail;
  log::warn("guest '{}' did not start: {}", domain->name, done.error().message());
  if (launch.caller_gone) co_return done;  // it did not fail, and nobody asks why
  publish_failure(launch, done.error().message());
  co_return done;
}

}  // namespace vireo::core
