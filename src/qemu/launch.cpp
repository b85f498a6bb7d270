// The steps of a start and how they are taken back. A worker prepares and spawns; the core shakes hands. The deadline
// may pass, or the caller may go away, while the worker still works: whichever of the two sees last that the launch was
// given up takes everything back.
#include "qemu/launch.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <exception>

#include "base/fault.hpp"
#include "base/log.hpp"
#include "base/undo.hpp"
#include "qemu/guest_log.hpp"
#include "qemu/monitor_socket.hpp"

namespace vireo::qemu {

namespace {

constexpr auto kEndPatience = std::chrono::seconds(10);  // for a killed process to go
constexpr auto kExitPatience = std::chrono::seconds(5);  // between a closed monitor and the process's own end

struct Attempt {
  Attempt(const asio::any_io_executor& e, LaunchPlan p) : executor(e), plan(std::move(p)), cleaned(e) {}

  const asio::any_io_executor executor;

  LaunchPlan plan;  // completed by the worker before anything else, and constant from then on

  // Filled in by the worker, read by the core once the worker has handed over.
  Fd monitor;
  Spawned child;
  std::uint64_t log_begins_at = 0;
  std::vector<std::string> lost;

  // Both sides exchange their word here; the second one finds the first one's.
  enum Word { Working, Prepared, GivenUp };
  std::atomic<Word> word{Working};

  // The core's own.
  GuestStatePtr guest;
  Wake cleaned;
};
using AttemptPtr = std::shared_ptr<Attempt>;

void remove_traces(const LaunchPlan& plan) {
  if (plan.remove_cgroups) plan.remove_cgroups();
  ::unlink(plan.monitor_path.c_str());
  if (!plan.pid_file.empty()) ::unlink(plan.pid_file.c_str());
  for (const auto& path : plan.outputs) ::unlink(path.c_str());
  if (!plan.home.empty()) ::rmdir(plan.home.c_str());  // with content it goes with the guest's folder
}

// The guest's folder is the daemon's; its QEMU may only pass through, to the one that is its own.
Result<void> make_home(const LaunchPlan& plan) {
  if (plan.home.empty()) return {};
  if (auto fault = fault::at("qemu.home"); !fault) return fault;
  const auto around = plan.home.substr(0, plan.home.rfind('/'));
  if (::mkdir(plan.home.c_str(), 0700) < 0 && errno != EEXIST)
    return fail_errno(errno, "cannot make the folder '" + plan.home + "'");
  const auto& user = plan.exec.user;
  if (!user) return {};
  if (::chmod(around.c_str(), 0711) < 0) return fail_errno(errno, "cannot open the folder '" + around + "' to QEMU");
  if (::chown(plan.home.c_str(), user->uid, user->gid) < 0)
    return fail_errno(errno, "cannot give the folder '" + plan.home + "' to user " + user->user);
  return {};
}

// Asks the user database, which may take its time.
Result<void> become_owner(LaunchPlan& plan) {
  if (!plan.exec.user || plan.owner.empty()) return {};
  auto user = credentials_of_label(plan.owner);
  if (!user) return pass_on(user);
  // The configured user's own groups and name stay, where it is the same user.
  if (user->uid != plan.exec.user->uid || user->gid != plan.exec.user->gid) plan.exec.user = std::move(*user);
  return {};
}

// In the daemon's folder, so that nobody can put other files in their place.
Result<void> make_outputs(const LaunchPlan& plan) {
  for (const auto& path : plan.outputs) {
    if (auto fault = fault::at("qemu.output"); !fault) return fault;
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return fail_errno(errno, "cannot make the file '" + path + "'");
    const auto& user = plan.exec.user;
    if (user && ::fchown(file.get(), user->uid, user->gid) < 0)
      return fail_errno(errno, "cannot give the file '" + path + "' to user " + user->user);
  }
  return {};
}

// One for each interface; one that QEMU itself forwards has none.
Result<std::vector<Tap>> open_taps(const LaunchPlan& plan) {
  std::vector<Tap> taps;
  for (const auto& nic : plan.interfaces) {
    auto tap = nic.has_host_device() ? open_tap(nic) : Result<Tap>(Tap{});
    if (!tap) return pass_on(tap);
    taps.push_back(std::move(*tap));
  }
  return taps;
}

Result<void> prepare_steps(Attempt& attempt) {
  if (auto known = become_owner(attempt.plan); !known) return known;
  const auto& plan = attempt.plan;
  if (auto made = make_home(plan); !made) return made;
  if (auto made = make_outputs(plan); !made) return made;
  if (auto fault = fault::at("qemu.listen"); !fault) return fault;
  auto listening = listen_at(plan.monitor_path);
  if (!listening) return pass_on(listening);
  // Connected before QEMU exists: the connection waits in the socket's queue until QEMU takes it, so nobody polls.
  auto monitor = connect_to(plan.monitor_path);
  if (!monitor) return pass_on(monitor);

  auto taps = open_taps(plan);
  if (!taps) return pass_on(taps);
  std::vector<int> tap_fds, kept_fds{listening->get()};
  for (const auto& tap : *taps) {
    plan.tap_names->push_back(tap.name);
    tap_fds.push_back(tap.fd.get());
    if (tap.fd) kept_fds.push_back(tap.fd.get());
  }
  SpawnRequest request{.exec = plan.exec,
                       .argv = plan.argv(listening->get(), tap_fds),
                       .environment = plan.environment,
                       .kept_fds = std::move(kept_fds),
                       .pid_file = plan.pid_file,
                       .memlock_bytes = plan.memlock_bytes,
                       .core_bytes = plan.core_bytes,
                       .oom_score = plan.oom_score,
                       .nice = plan.nice,
                       .label = plan.exec_label};
  if (auto checked = check_executable(request.argv.front()); !checked) return checked;
  if (auto fault = fault::at("qemu.log"); !fault) return fault;
  auto log = open_guest_log(plan.log_path, plan.about, request.environment, request.argv);
  if (!log) return pass_on(log);
  request.output_fd = request.error_fd = log->fd.get();
  attempt.log_begins_at = log->begins_at;

  if (plan.make_cgroups) {
    auto place = plan.make_cgroups();
    if (!place) return pass_on(place);
    request.cgroups = std::move(place->folders);
    attempt.lost = std::move(place->lost);
  }
  auto child = spawn(request);
  if (!child) return pass_on(child);
  attempt.child = std::move(*child);
  attempt.monitor = std::move(*monitor);
  // This side's copies close here: when QEMU dies, nobody listens and the monitor says so, and its devices go.
  return {};
}

std::unexpected<Error> given_up() { return fail(VIR_ERR_OPERATION_ABORTED, "the start was given up"); }

// The worker's last word on a launch that was given up meanwhile: whoever waits for nothing to be left learns that.
std::unexpected<Error> hand_over_given_up(AttemptPtr attempt) {
  const auto executor = attempt->executor;
  // Given away whole: what is in it belongs to that executor and must not be destroyed here.
  asio::post(executor, [attempt = std::move(attempt)] { attempt->cleaned.fire(); });
  return given_up();
}

// On a worker.
Result<void> prepare(const AttemptPtr& attempt) {
  if (attempt->word.load() == Attempt::GivenUp) return hand_over_given_up(attempt);
  Result<void> done;
  try {
    done = prepare_steps(*attempt);
  } catch (const std::exception& e) {
    // Handing over below must happen whatever went wrong: it decides who takes back.
    done = fail(VIR_ERR_INTERNAL_ERROR, e.what());
  }
  if (attempt->word.exchange(Attempt::Prepared) != Attempt::GivenUp) return done;
  kill_and_reap(attempt->child.pidfd);
  remove_traces(attempt->plan);
  return hand_over_given_up(attempt);
}

asio::awaitable<void> take_back(AttemptPtr attempt, Workers* workers) {
  auto executor = co_await asio::this_coro::executor;
  std::shared_ptr<Process> process;
  if (attempt->guest) {
    attempt->guest->monitor()->close();
    process = attempt->guest->process();
  } else if (attempt->child.pidfd) {
    process = Process::watch(executor, attempt->child.pid, std::move(attempt->child.pidfd));
  }
  if (process) {
    process->on_end(nullptr);
    process->signal(SIGKILL);
    if (!co_await process->wait_end(Deadline::in(kEndPatience))) {
      attempt->cleaned.fire();  // what it has left stays, so that it can be found and ended later
      co_return;
    }
  }
  std::move_only_function<Result<bool>()> remove = [attempt] {
    remove_traces(attempt->plan);
    return Result<bool>(true);
  };
  co_await workers->run<bool>(std::move(remove), Deadline::in(kEndPatience));
  attempt->cleaned.fire();
}

// The undo of a launch, from any of its steps; must not wait, so the waiting part is a coroutine of its own.
void give_up(const AttemptPtr& attempt, Workers& workers, const asio::any_io_executor& executor) {
  // Otherwise the worker, still at it or not yet begun, cleans up after itself.
  if (attempt->word.exchange(Attempt::GivenUp) == Attempt::Prepared)
    asio::co_spawn(executor, take_back(attempt, &workers), asio::detached);
}

// Why the monitor failed, told with what QEMU said itself.
asio::awaitable<Error> explain(GuestStatePtr guest, Error error, Deadline deadline) {
  const bool timed_out = error.code == VIR_ERR_OPERATION_TIMEOUT;
  bool ended = guest->process()->ended();
  if (!ended && !timed_out && !guest->monitor()->is_open())
    ended = co_await guest->process()->wait_end(deadline.earlier_of(Deadline::in(kExitPatience)));
  auto words = co_await GuestState::last_words(guest);
  if (ended) {
    error.code = VIR_ERR_INTERNAL_ERROR;
    error.detail = "process exited while connecting to monitor: " + words;
  } else if (!words.empty()) {
    error.detail += ": " + words;
  }
  co_return error;
}

asio::awaitable<Result<GuestStatePtr>> attempt_launch(AttemptPtr attempt, Workers* workers, LaunchFinish finish,
                                                      Deadline deadline) {
  auto executor = co_await asio::this_coro::executor;
  Undo undo;
  undo.add([attempt, workers, executor] { give_up(attempt, *workers, executor); });

  const auto recorder = attempt->plan.recorder;
  recorder->begin("spawn");
  std::move_only_function<Result<bool>()> work = [attempt]() -> Result<bool> {
    if (auto prepared = prepare(attempt); !prepared) return pass_on(prepared);
    return true;
  };
  auto prepared = co_await workers->run<bool>(std::move(work), deadline);
  if (!prepared) co_return pass_on(prepared);
  for (auto& sentence : attempt->lost) {
    log::warn("{}; the guest runs without", sentence);
    recorder->lose(std::move(sentence));
  }

  ports::ProcessIdentity identity;
  identity.pid = attempt->child.pid;
  identity.start_time_ticks = attempt->child.start_time_ticks;
  identity.boot_id = attempt->plan.boot_id;
  GuestLogPlace log;
  log.path = attempt->plan.log_path;
  log.begins_at = attempt->log_begins_at;
  attempt->guest = GuestState::open(executor, *workers, std::move(identity), std::move(attempt->child.pidfd),
                                    std::move(attempt->monitor), std::move(log));

  if (attempt->plan.remove_cgroups) attempt->guest->clean_up_with(attempt->plan.remove_cgroups);

  recorder->begin("handshake");
  auto ready = co_await attempt->guest->monitor()->handshake(deadline);
  recorder->begin("devices");
  if (ready && finish) ready = co_await finish(attempt->guest, deadline);
  if (!ready) {
    auto error = co_await explain(attempt->guest, std::move(ready.error()), deadline);
    co_return std::unexpected(std::move(error));
  }
  undo.keep();
  co_return std::move(attempt->guest);
}

}  // namespace

asio::awaitable<Result<GuestStatePtr>> launch_process(Workers& workers, LaunchPlan plan, LaunchFinish finish,
                                                      Deadline deadline) {
  auto executor = co_await asio::this_coro::executor;
  auto attempt = std::make_shared<Attempt>(executor, std::move(plan));
  Result<GuestStatePtr> launched;
  try {
    launched = co_await attempt_launch(attempt, &workers, std::move(finish), deadline);
  } catch (const boost::system::system_error&) {
    launched = given_up();  // how a cancelled coroutine ends
  }
  if (!launched) {
    // Whoever hears that a launch has failed, or gave it up, may count on nothing being left.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await attempt->cleaned.wait(Deadline::in(kEndPatience));
  }
  co_return launched;
}

}  // namespace vireo::qemu
