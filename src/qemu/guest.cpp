// Events in order, the end told last, and the calls that go to the monitor.
#include "qemu/guest.hpp"

#include <signal.h>

#include "qemu/guest_event.hpp"
#include "qemu/guest_log.hpp"
#include "qmp/commands.hpp"

namespace vireo::qemu {

namespace {

constexpr auto kGrace = std::chrono::seconds(10);       // between SIGTERM and SIGKILL
constexpr auto kLastEvents = std::chrono::seconds(1);   // for what a dead QEMU has left in its socket
constexpr auto kLogPatience = std::chrono::seconds(2);  // for the log's last lines
constexpr auto kCleanPatience = std::chrono::seconds(2);

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
      monitor_closed_(executor) {}

GuestStatePtr GuestState::open(const asio::any_io_executor& executor, Workers& workers, ports::ProcessIdentity identity,
                               Fd pidfd, Fd monitor, GuestLogPlace log) {
  GuestStatePtr self(new GuestState(executor, workers, std::move(identity), std::move(log)));
  const std::weak_ptr<GuestState> weak = self;
  self->process_ = Process::watch(executor, self->identity_.pid, std::move(pidfd));
  self->process_->on_end([weak] {
    if (auto state = weak.lock()) asio::co_spawn(state->executor_, tell_end(state), asio::detached);
  });
  qmp::MonitorSinks sinks{.event =
                              [weak](const qmp::Event& event) {
                                if (auto state = weak.lock()) state->take(event);
                              },
                          .closed =
                              [weak](const Error&) {
                                if (auto state = weak.lock()) state->monitor_closed_.fire();
                              }};
  qmp::Monitor::Socket socket(executor, asio::local::stream_protocol(), monitor.release());
  self->monitor_ = qmp::Monitor::open(std::move(socket), std::move(sinks));
  return self;
}

void GuestState::deliver_to(ports::GuestEventSink sink) {
  sink_ = std::make_shared<const ports::GuestEventSink>(std::move(sink));
  asio::post(executor_, [self = shared_from_this()] {
    self->delivering_ = true;
    self->flush();
  });
}

void GuestState::take(const qmp::Event& event) {
  if (auto told = guest_event_of(event)) tell(std::move(*told));
}

void GuestState::tell(ports::GuestEvent event) {
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

asio::awaitable<void> GuestState::tell_end(GuestStatePtr self) {
  // What QEMU said before its end is still in the socket, and comes before the end in the order of things.
  if (self->monitor_->is_open()) co_await self->monitor_closed_.wait(Deadline::in(kLastEvents));
  self->monitor_->close();
  co_await clean_up(self);
  ports::GuestEvent event{.kind = ports::GuestEvent::Kind::Exited};
  event.exit_status = self->process_->exit_status().code;
  event.exit_signal = self->process_->exit_status().signal;
  if (!self->end_expected_) {
    auto tail = co_await self->workers_.run<std::string>(
        [log = self->log_] { return Result<std::string>(guest_log_tail(log.path, log.begins_at)); },
        Deadline::in(kLogPatience));
    if (tail) event.detail = std::move(*tail);
  }
  self->tell(std::move(event));
}

void GuestState::let_go() {
  let_go_ = true;
  untold_.clear();
  if (monitor_) monitor_->close();
  if (process_) process_->let_go();
}

asio::awaitable<Result<void>> QemuGuest::resume(Deadline deadline) {
  return qmp::run_command(state_->monitor(), "cont", deadline);
}

asio::awaitable<Result<void>> QemuGuest::pause(Deadline deadline) {
  return qmp::run_command(state_->monitor(), "stop", deadline);
}

asio::awaitable<Result<void>> QemuGuest::reset(Deadline deadline) {
  return qmp::run_command(state_->monitor(), "system_reset", deadline);
}

asio::awaitable<Result<void>> QemuGuest::press_power_button(Deadline deadline) {
  return qmp::run_command(state_->monitor(), "system_powerdown", deadline);
}

asio::awaitable<Result<std::string>> QemuGuest::monitor_command(std::string command, bool human, Deadline deadline) {
  if (human) return qmp::human_command(state_->monitor(), std::move(command), deadline);
  return raw_command(state_->monitor(), std::move(command), deadline);
}

asio::awaitable<Result<ports::Vcpus>> QemuGuest::query_vcpus(Deadline deadline) {
  return ask_vcpus(state_->monitor(), deadline);
}

asio::awaitable<Result<void>> QemuGuest::end(bool gentle, Deadline deadline) {
  return end_process(state_, gentle, deadline);
}

}  // namespace vireo::qemu
