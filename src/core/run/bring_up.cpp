// The launch of a guest. The tables of steps below are the order of everything; each step registers its undo beside
// what it does, and each is timed. The order keeps every promise about crashes: the intent is durable before anything
// outside is changed for good, the process is recorded before its vCPUs run, and the guest is published only when it
// does run.
#include <filesystem>
#include <span>

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

  std::string folder() const { return runtime_folder(host, run->id); }
};

// By its caller, before it was admitted.
bool abandoned(const Launch& launch) { return launch.launching->caller_gone && !launch.launching->admitted; }

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

struct Step {
  const char* name;
  Done (*take)(Launch&);
};

// The lane was entered before, and is timed by whoever did it.
constexpr Step steps_to_claim[] = {{"claim", claim}};
constexpr Step steps_to_prepare[] = {{"persist", record_intent}, {"files", make_files}, {"label", label}};
constexpr Step steps_in_line[] = {{"admission", admit}};
constexpr Step steps_to_launch[] = {
    {"capabilities", start_process},
    {"persist", record_process},
    {"continue", let_run},
    {"publish", publish},
};

Done take_steps(Launch& l, std::span<const Step> to_take) {
  for (const auto& step : to_take) {
    if (l.launching->given_up) co_return given_up(l);
    l.recorder->begin(step.name);
    auto done = co_await step.take(l);
    if (!done && l.launching->given_up) co_return given_up(l);
    if (!done) co_return done;
  }
  co_return Result<void>{};
}

Done take_unless_given_up(Launch& l, std::span<const Step> to_take) {
  l.launching->cancellable = true;
  if (l.launching->caller_gone) co_return Result<void>{};
  co_return co_await take_steps(l, to_take);
}

// Steps that change nothing but claims: whoever gives the launch up ends them at once, and so does its caller, if gone.
Done take_interruptibly(Launch& l, std::span<const Step> to_take) {
  Result<void> done;
  try {
    done = co_await asio::co_spawn(l.host.core, take_unless_given_up(l, to_take),
                                   asio::bind_cancellation_slot(l.launching->cancel.slot(), asio::use_awaitable));
  } catch (const boost::system::system_error&) {
    done = given_up(l);  // how a cancelled coroutine ends
  }
  l.launching->cancellable = false;
  co_return done;
}

// Steps that have to be taken back: no cancellation of the caller reaches into them.
Done take_undisturbed(Launch& l, std::span<const Step> to_take) {
  co_return co_await asio::co_spawn(l.host.core, take_steps(l, to_take),
                                    asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable));
}

// Whether the caller has gone; if not, the launch is interrupted when it goes. Asio forgets that with every operation
// that ends, so it is said anew before each.
bool caller_gone(Launch& l, const asio::cancellation_state& caller) {
  l.launching->caller_gone = caller.cancelled() != asio::cancellation_type::none;
  if (auto slot = caller.slot(); slot.is_connected())
    slot.assign([launching = l.launching](asio::cancellation_type) {
      launching->caller_gone = true;
      launching->interrupt();
    });
  return l.launching->caller_gone;
}

// Labels come before the line: a file system that takes its time takes nobody's place. Until the launch is admitted,
// a caller that goes away ends it; from then on it is brought to its end, since half of a launch helps nobody.
Done take_all(Launch& l) {
  const auto caller = co_await asio::this_coro::cancellation_state;
  Result<void> done;
  if (!caller_gone(l, caller)) done = co_await take_interruptibly(l, steps_to_claim);
  if (done && !caller_gone(l, caller)) done = co_await take_undisturbed(l, steps_to_prepare);
  if (done && !caller_gone(l, caller)) done = co_await take_interruptibly(l, steps_in_line);
  if (!l.launching->admitted && caller_gone(l, caller))
    done = fail(VIR_ERR_OPERATION_ABORTED, "the caller that started domain '" + l.domain->name + "' has gone");
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  if (done) done = co_await take_steps(l, steps_to_launch);
  co_return done;
}

// A guest that did not start tells why to those who ask later.
void publish_failure(Launch& l, const std::string& why) {
  const auto& steps_taken = l.recorder->so_far().steps;  // the last of them is the undoing
  l.host.boots.failed(l.run->boot, steps_taken.size() > 1 ? steps_taken[steps_taken.size() - 2].name : "lane");
  auto trace = l.recorder->finish(why);
  if (abandoned(l) || !l.domain->view) return;  // abandoned: nobody asks
  model::DomainView view = *l.domain->view;
  view.last_launch = std::move(trace);
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
  UnderWay(DomainPtr domain, std::shared_ptr<Launching> launching) : domain_(std::move(domain)) {
    domain_->launching = launching ? std::move(launching) : std::make_shared<Launching>();
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
  const UnderWay under_way(domain, options.launching);
  Launch launch{.host = host,
                .domain = domain,
                .options = options,
                .launching = domain->launching,
                .recorder = std::move(recorder),
                .deadline = Deadline::in(host.settings.launch_timeout),
                .live = std::make_shared<model::DomainDef>(*definition)};
  launch.run->boot = host.boots.begin(
      {.uuid = domain->uuid, .name = domain->name, .paused = options.paused, .began = launch.recorder->so_far().began},
      launch.recorder->began());
  auto done = co_await take_all(launch);
  if (done) {
    launch.undo.keep();
    log::info("guest '{}' runs with id {}", domain->name, launch.run->id);
    co_return done;
  }
  launch.recorder->begin("undo");
  const bool asked_to_end = launch.launching->given_up || abandoned(launch);
  // While the files are still the guest's.
  if (!asked_to_end) co_await add_what_is_in_the_way(launch, done.error());
  co_await launch.undo.unwind();
  if (launch.remains) done.error().detail += "; what was started of it cannot be ended: " + launch.remains->detail;
  log::warn("guest '{}' did not start: {}", domain->name, done.error().message());
  publish_failure(launch, done.error().message());
  co_return done;
}

}  // namespace vireo::core
