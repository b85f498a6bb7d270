// Events in order, the end told last, and the calls that go to the monitor.
#include "qemu/guest.hpp"

#include <signal.h>

#include "base/fault.hpp"
#include "base/log.hpp"
#include "base/undo.hpp"
#include "qemu/argv.hpp"
#include "qemu/ask_figures.hpp"
#include "qemu/guest_event.hpp"
#include "qemu/guest_log.hpp"
#include "qemu/monitor_socket.hpp"
#include "qmp/commands.hpp"

namespace vireo::qemu {

namespace {

constexpr auto kGrace = std::chrono::seconds(10);       // between SIGTERM and SIGKILL
constexpr auto kLastEvents = std::chrono::seconds(1);   // for what a dead QEMU has left in its socket
constexpr auto kLogPatience = std::chrono::seconds(2);  // for the log's last lines
constexpr auto kCleanPatience = std::chrono::seconds(2);
// Between a monitor's end and the next connection: doubled each time, unless the connection has held for a while.
constexpr auto kFirstPause = std::chrono::milliseconds(100);
constexpr auto kLongestPause = std::chrono::milliseconds(30'000);
constexpr auto kHasHeld = std::chrono::seconds(30);
constexpr auto kConnectPatience = std::chrono::seconds(10);

// A command that only has to succeed. Where QEMU ends instead of answering, its last words say why.
asio::awaitable<Result<void>> tell_monitor(GuestStatePtr state, const char* command, Deadline deadline) {
  const auto monitor = state->monitor();
  const bool was_open = monitor->is_open();
  auto done = co_await qmp::run_command(monitor, command, deadline);
  if (done || monitor->is_open()) co_return done;
  const bool ended = co_await state->process()->wait_end(deadline.earlier_of(Deadline::in(kLastEvents)));
  if (!ended) co_return done;
  co_return fail(was_open ? VIR_ERR_INTERNAL_ERROR : VIR_ERR_OPERATION_FAILED,
                 "QEMU has closed its monitor: " + co_await GuestState::last_words(state));
}

asio::awaitable<Result<std::string>> raw_command(qmp::MonitorPtr monitor, std::string command, Deadline deadline) {
  auto request = qmp::parse_object(command);
  if (!request) co_return pass_on(request);
  auto answer = co_await monitor->exchange(std::move(*request), deadline);
  if (!answer) co_return pass_on(answer);
  co_return qmp::json::serialize(*answer);
}

asio::awaitable<Result<ports::Vcpus>> ask_vcpus(qmp::MonitorPtr monitor, Deadline deadline) {
  auto status = co_await qmp::query_status(std::move(monitor), deadline);
  if (!status) co_return pass_on(status);
  if (status->running) co_return ports::Vcpus::Run;
  co_return status->name == "prelaunch" ? ports::Vcpus::NeverRan : ports::Vcpus::Stopped;
}

Deadline grace_within(Deadline deadline) {
  // A short deadline still leaves SIGKILL half of its time.
  const auto half = SteadyClock::now() + (deadline.time() - SteadyClock::now()) / 2;
  return Deadline::at(half).earlier_of(Deadline::in(kGrace));
}

asio::awaitable<Result<void>> end_process(GuestStatePtr state, bool gentle, Deadline deadline) {
  if (auto fault = fault::at("qemu.end"); !fault) co_return fault;
  const auto process = state->process();
  state->expect_end();
  bool ended = false;
  if (gentle) {
    process->signal(SIGTERM);
    ended = co_await process->wait_end(grace_within(deadline));
  }
  if (!ended) {
    process->signal(SIGKILL);
    ended = co_await process->wait_end(deadline);
  }
  if (ended) {
    co_await GuestState::clean_up(state);
    co_return Result<void>();
  }
  co_return fail(VIR_ERR_SYSTEM_ERROR, "Failed to terminate process " + std::to_string(process->pid()) +
                                           " with SIGKILL: Device or resource busy");
}

}  // namespace

GuestState::GuestState(const asio::any_io_executor& executor, Workers& workers, ports::ProcessIdentity identity,
                       GuestLogPlace log)
    : executor_(executor),
      workers_(workers),
      identity_(std::move(identity)),
      log_(std::move(log)),
      monitor_closed_(std::make_shared<Wake>(executor)) {}

GuestStatePtr GuestState::open(const asio::any_io_executor& executor, Workers& workers, ports::ProcessIdentity identity,
                               Fd pidfd, Fd monitor, GuestLogPlace log) {
  GuestStatePtr self(new GuestState(executor, workers, std::move(identity), std::move(log)));
  const std::weak_ptr<GuestState> weak = self;
  self->process_ = Process::watch(executor, self->identity_.pid, std::move(pidfd));
  self->process_->on_end([weak] {
    if (auto state = weak.lock()) asio::co_spawn(state->executor_, tell_end(state), asio::detached);
  });
  self->monitor_ = self->open_monitor(std::move(monitor));
  return self;
}

qmp::MonitorPtr GuestState::open_monitor(Fd connection) {
  const auto weak = weak_from_this();
  auto closed = std::make_shared<Wake>(executor_);
  monitor_closed_ = closed;
  qmp::MonitorSinks sinks{.event =
                              [weak](const qmp::Event& event) {
                                if (auto state = weak.lock()) state->take(event);
                              },
                          .closed =
                              [weak, closed](const Error&) {
                                closed->fire();
                                if (auto state = weak.lock()) state->on_monitor_closed();
                              }};
  qmp::Monitor::Socket socket(executor_, asio::local::stream_protocol(), connection.release());
  connected_at_ = SteadyClock::now();
  return qmp::Monitor::open(std::move(socket), std::move(sinks));
}

void GuestState::keep_connected(std::string monitor_path) {
  monitor_path_ = std::move(monitor_path);
  if (!monitor_->is_open()) on_monitor_closed();
}

void GuestState::on_monitor_closed() {
  if (monitor_path_.empty() || reconnecting_ || let_go_ || process_->ended()) return;
  reconnecting_ = true;
  if (SteadyClock::now() - connected_at_ > kHasHeld) next_pause_ = kFirstPause;
  asio::co_spawn(executor_, reconnect(shared_from_this()), asio::detached);
}

asio::awaitable<Result<void>> GuestState::connect_anew(GuestStatePtr self, Deadline deadline) {
  std::move_only_function<Result<Fd>()> knock = [path = self->monitor_path_]() -> Result<Fd> {
    if (auto fault = fault::at("qemu.reconnect"); !fault) return pass_on(fault);
    return connect_to(path);
  };
  auto connection = co_await self->workers_.run<Fd>(std::move(knock), deadline);
  if (!connection) co_return pass_on(connection);
  auto monitor = self->open_monitor(std::move(*connection));
  Undo hang_up;
  hang_up.add([monitor] { monitor->close(); });
  auto ready = co_await monitor->handshake(deadline);
  if (!ready) co_return ready;
  auto status = co_await qmp::query_status(monitor, deadline);
  if (!status) co_return pass_on(status);
  if (self->let_go_) co_return fail(VIR_ERR_OPERATION_ABORTED, "nobody needs the monitor any more");
  hang_up.keep();
  self->monitor_ = std::move(monitor);
  if (status->name == "shutdown")
    self->tell({.kind = ports::GuestEvent::Kind::PowerdownDone, .by_guest = true});
  else
    self->tell({.kind = status->running ? ports::GuestEvent::Kind::Resumed : ports::GuestEvent::Kind::Stopped});
  co_return Result<void>();
}

asio::awaitable<void> GuestState::reconnect(GuestStatePtr self) {
  Error last;
  for (;;) {
    // A closed monitor usually means an ended process, of which the pause lets us hear first.
    self->next_pause_ = std::clamp(self->next_pause_ * 2, kFirstPause, kLongestPause);
    const bool ended = co_await self->process_->wait_end(Deadline::in(self->next_pause_));
    if (ended || self->let_go_) break;
    auto connected = co_await connect_anew(self, Deadline::in(kConnectPatience));
    if (connected) {
      log::info("the monitor of process {} is connected to again", self->identity_.pid);
      break;
    }
    if (connected.error().detail != last.detail)
      log::warn("the monitor of process {} cannot be connected to again yet: {}", self->identity_.pid,
                connected.error().message());
    last = std::move(connected.error());
  }
  self->reconnecting_ = false;
  if (!self->monitor_->is_open()) self->on_monitor_closed();
}

void GuestState::deliver_to(ports::GuestEventSink sink) {
  sink_ = std::make_shared<const ports::GuestEventSink>(std::move(sink));
  asio::post(executor_, [self = shared_from_this()] {
    self->delivering_ = true;
    self->flush();
  });
}

void GuestState::watch_for(UpWatch& watch, model::UpSign sign, SoughtSign sought) {
  watching_.push_back(watch.watch(std::move(sought), executor_, [weak = weak_from_this(), sign](bool long_since) {
    const auto state = weak.lock();
    if (!state || state->let_go_) return;
    if (sign == model::UpSign::network) asio::co_spawn(state->executor_, stop_capturing(state), asio::detached);
    state->tell({.kind = ports::GuestEvent::Kind::SaysUp, .long_since = long_since, .sign = sign});
  }));
}

// One packet is enough. One that cannot be told of now goes on copying; the watch keeps its file small.
asio::awaitable<void> GuestState::stop_capturing(std::shared_ptr<GuestState> self) {
  auto done = co_await raw_command(
      self->monitor_, fmt::format(R"({{"execute":"object-del","arguments":{{"id":"{}"}}}})", kPacketFilter),
      Deadline::in(kConnectPatience));
  if (!done && !self->let_go_)
    log::info("process {} goes on copying its packets: {}", self->identity_.pid, done.error().message());
}

void GuestState::take(const qmp::Event& event) {
  if (auto told = guest_event_of(event)) tell(std::move(*told));
}

void GuestState::tell(ports::GuestEvent event) {
  if (end_told_) return;
  end_told_ = event.kind == ports::GuestEvent::Kind::Exited;
  untold_.push_back(std::move(event));
  if (delivering_) flush();
}

// The sink may destroy the guest: each turn looks anew whether there is anybody to tell.
void GuestState::flush() {
  while (!untold_.empty() && !let_go_) {
    const auto sink = sink_;
    auto event = std::move(untold_.front());
    untold_.pop_front();
    (*sink)(std::move(event));
  }
}

asio::awaitable<void> GuestState::clean_up(GuestStatePtr self) {
  if (!self->clean_up_) co_return;
  std::move_only_function<Result<bool>()> work = [clean_up = self->clean_up_]() -> Result<bool> {
    clean_up();
    return true;
  };
  co_await self->workers_.run<bool>(std::move(work), Deadline::in(kCleanPatience));
}

asio::awaitable<std::string> GuestState::last_words(GuestStatePtr self) {
  std::move_only_function<Result<std::string>()> read = [log = self->log_] {
    return Result<std::string>(guest_log_tail(log.path, log.begins_at));
  };
  auto tail = co_await self->workers_.run<std::string>(std::move(read), Deadline::in(kLogPatience));
  if (tail && !tail->empty()) co_return std::move(*tail);
  if (!self->process_->ended()) co_return std::string();
  const auto& status = self->process_->exit_status();
  if (status.signal != 0) co_return "ended by signal " + std::to_string(status.signal);
  co_return status.code >= 0 ? "exit status " + std::to_string(status.code) : std::string("its process has ended");
}

asio::awaitable<void> GuestState::tell_end(GuestStatePtr self) {
  // What QEMU said before its end is still in the socket, and comes before the end in the order of things.
  if (self->monitor_->is_open()) co_await self->monitor_closed_->wait(Deadline::in(kLastEvents));
  self->monitor_->close();
  co_await clean_up(self);
  ports::GuestEvent event{.kind = ports::GuestEvent::Kind::Exited};
  event.exit_status = self->process_->exit_status().code;
  event.exit_signal = self->process_->exit_status().signal;
  if (!self->end_expected_) event.detail = co_await last_words(self);
  self->tell(std::move(event));
}

void GuestState::let_go() {
  let_go_ = true;
  untold_.clear();
  watching_.clear();
  if (monitor_) monitor_->close();
  if (process_) process_->let_go();
}

asio::awaitable<Result<void>> QemuGuest::resume(Deadline deadline) { return tell_monitor(state_, "cont", deadline); }

asio::awaitable<Result<void>> QemuGuest::pause(Deadline deadline) { return tell_monitor(state_, "stop", deadline); }

asio::awaitable<Result<void>> QemuGuest::reset(Deadline deadline) {
  return tell_monitor(state_, "system_reset", deadline);
}

asio::awaitable<Result<void>> QemuGuest::press_power_button(Deadline deadline) {
  return tell_monitor(state_, "system_powerdown", deadline);
}

asio::awaitable<Result<std::string>> QemuGuest::monitor_command(std::string command, bool human, Deadline deadline) {
  if (human) return qmp::human_command(state_->monitor(), std::move(command), deadline);
  return raw_command(state_->monitor(), std::move(command), deadline);
}

asio::awaitable<Result<ports::Vcpus>> QemuGuest::query_vcpus(Deadline deadline) {
  return ask_vcpus(state_->monitor(), deadline);
}

asio::awaitable<Result<ports::MonitorAnswer>> QemuGuest::ask_figures(ports::MonitorQuestion question,
                                                                     Deadline deadline) {
  return qemu::ask_figures(state_->monitor(), question, balloon_path_, deadline);
}

asio::awaitable<Result<void>> QemuGuest::set_balloon_period(int seconds, Deadline deadline) {
  return qemu::set_balloon_period(state_->monitor(), balloon_path_, seconds, deadline);
}

asio::awaitable<Result<void>> QemuGuest::start_dirty_rate(int seconds, std::string mode, Deadline deadline) {
  return qemu::start_dirty_rate(state_->monitor(), seconds, std::move(mode), deadline);
}

asio::awaitable<Result<std::vector<std::pair<std::string, std::string>>>> QemuGuest::query_disk_errors(
    Deadline deadline) {
  return qemu::query_disk_errors(state_->monitor(), deadline);
}

asio::awaitable<Result<void>> QemuGuest::end(bool gentle, Deadline deadline) {
  return end_process(state_, gentle, deadline);
}

}  // namespace vireo::qemu
