// Who is meant is settled with a pidfd in hand: what is checked after opening it is true of that process and stays so.
#include "qemu/adopt.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/fault.hpp"
#include "base/undo.hpp"
#include "qemu/guest_log.hpp"
#include "qemu/monitor_socket.hpp"
#include "qmp/commands.hpp"

namespace vireo::qemu {

namespace {

struct Found {
  Fd pidfd, monitor;
  std::uint64_t log_size = 0;
};

// On a worker.
Result<Found> find_process(const AdoptPlan& plan) {
  if (auto fault = fault::at("qemu.adopt"); !fault) return pass_on(fault);
  const auto pid = plan.process.pid;
  const auto gone = [pid, &plan](const char* why) {
    if (plan.clean_up) plan.clean_up();
    return fail(VIR_ERR_NO_DOMAIN, "process " + std::to_string(pid) + " " + why);
  };
  if (plan.process.boot_id != plan.boot_id) return gone("ran before the host was booted");
  auto pidfd = open_pidfd(pid);
  if (!pidfd) return pass_on(pidfd);
  const auto stat = read_process_stat(pid);
  if (!stat || stat->ended()) return gone("has ended");
  if (stat->start_time_ticks != plan.process.start_time_ticks) return gone("is another one by now");

  auto monitor = connect_to(plan.monitor_path);
  if (!monitor) {
    // The process lives: that its monitor is not there must not read as "no such guest".
    auto error = std::move(monitor.error());
    if (error.code == VIR_ERR_NO_DOMAIN) error.code = VIR_ERR_OPERATION_FAILED;
    return std::unexpected(std::move(error));
  }
  Found found;
  found.pidfd = std::move(*pidfd);
  found.monitor = std::move(*monitor);
  found.log_size = guest_log_size(plan.log_path);
  return found;
}

// Neither vireo-exec nor the QEMU that it becomes changes what it was given.
bool has_home(pid_t pid, const std::string& home) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/environ", std::ios::binary);
  std::string setting;
  while (std::getline(file, setting, '\0'))
    if (setting == "HOME=" + home) return true;
  return false;
}

struct Leftover {
  pid_t pid = 0;
  Fd pidfd;
};

std::optional<Leftover> leftover_with(pid_t pid, const std::string& home) {
  if (pid <= 1) return std::nullopt;
  auto pidfd = open_pidfd(pid);
  if (!pidfd || !has_home(pid, home)) return std::nullopt;
  const auto stat = read_process_stat(pid);
  if (!stat || stat->ended()) return std::nullopt;
  return Leftover{.pid = pid, .pidfd = std::move(*pidfd)};
}

pid_t number_in(const std::string& text) {
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return pid;
}

// The recorded process itself, if it lives.
std::optional<Leftover> leftover_as(const ports::ProcessIdentity& process) {
  auto pidfd = open_pidfd(process.pid);
  if (!pidfd) return std::nullopt;
  const auto stat = read_process_stat(process.pid);
  if (!stat || stat->ended() || stat->start_time_ticks != process.start_time_ticks) return std::nullopt;
  return Leftover{.pid = process.pid, .pidfd = std::move(*pidfd)};
}

// On a worker. The pid file says who it is. Without one, and only when somebody holds the socket, all processes are
// looked at: it may have been started and not have come as far as writing it.
Result<std::vector<Leftover>> find_leftovers(const SweepPlan& plan) {
  if (auto fault = fault::at("qemu.sweep"); !fault) return pass_on(fault);
  std::vector<Leftover> found;
  if (plan.process)
    if (auto leftover = leftover_as(*plan.process)) found.push_back(std::move(*leftover));
  std::ifstream file(plan.pid_file);
  std::string text;
  std::getline(file, text);
  if (auto leftover = leftover_with(number_in(text), plan.home)) found.push_back(std::move(*leftover));
  if (!found.empty() || !connect_to(plan.monitor_path)) return found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error))
    if (auto leftover = leftover_with(number_in(entry.path().filename()), plan.home))
      found.push_back(std::move(*leftover));
  return found;
}

// Somebody answers whose environment does not tell who it is: asked over the monitor to go.
asio::awaitable<Result<void>> quit_at(Fd connection, Deadline deadline) {
  auto executor = co_await asio::this_coro::executor;
  auto closed = std::make_shared<Wake>(executor);
  qmp::MonitorSinks sinks;
  sinks.closed = [closed](const Error&) { closed->fire(); };
  auto monitor = qmp::Monitor::open(
      qmp::Monitor::Socket(executor, asio::local::stream_protocol(), connection.release()), std::move(sinks));
  Undo hang_up;
  hang_up.add([monitor] { monitor->close(); });
  auto done = co_await monitor->handshake(deadline);
  if (done) {
    done = co_await qmp::run_command(monitor, "quit", deadline);
    const bool gone = co_await closed->wait(deadline);
    if (gone) done = {};
  }
  co_return done;
}

asio::awaitable<Result<void>> end_leftover(Leftover leftover, Deadline deadline) {
  auto executor = co_await asio::this_coro::executor;
  auto process = Process::watch(executor, leftover.pid, std::move(leftover.pidfd));
  process->signal(SIGKILL);
  const bool ended = co_await process->wait_end(deadline);
  process->let_go();
  if (ended) co_return Result<void>();
  co_return fail(VIR_ERR_SYSTEM_ERROR, "Failed to terminate process " + std::to_string(leftover.pid) +
                                           " with SIGKILL: Device or resource busy");
}

}  // namespace

asio::awaitable<Result<GuestStatePtr>> adopt_process(Workers& workers, AdoptPlan plan, Deadline deadline) {
  auto executor = co_await asio::this_coro::executor;
  std::move_only_function<Result<Found>()> look = [plan] { return find_process(plan); };
  auto found = co_await workers.run<Found>(std::move(look), deadline);
  if (!found) co_return pass_on(found);
  GuestLogPlace log;
  log.path = plan.log_path;
  log.begins_at = found->log_size;
  auto guest = GuestState::open(executor, workers, plan.process, std::move(found->pidfd), std::move(found->monitor),
                                std::move(log));
  if (plan.clean_up) guest->clean_up_with(plan.clean_up);
  Undo undo;
  undo.add([guest] { guest->let_go(); });
  auto ready = co_await guest->monitor()->handshake(deadline);
  if (ready) {
    auto status = co_await qmp::query_status(guest->monitor(), deadline);
    if (!status) ready = pass_on(status);
  }
  if (ready) {
    undo.keep();
    co_return guest;
  }
  // A closed monitor usually means an ended process, whose end is told a moment later.
  constexpr auto kMoment = std::chrono::seconds(1);
  bool ended = guest->process()->ended();
  if (!ended && !guest->monitor()->is_open())
    ended = co_await guest->process()->wait_end(deadline.earlier_of(Deadline::in(kMoment)));
  if (ended) {
    co_await GuestState::clean_up(guest);
    co_return fail(VIR_ERR_NO_DOMAIN, "process " + std::to_string(plan.process.pid) + " has ended");
  }
  co_return pass_on(ready);
}

asio::awaitable<Result<void>> sweep_process(Workers& workers, SweepPlan plan, Deadline deadline) {
  std::move_only_function<Result<std::vector<Leftover>>()> look = [plan] { return find_leftovers(plan); };
  auto leftovers = co_await workers.run<std::vector<Leftover>>(std::move(look), deadline);
  if (!leftovers) co_return pass_on(leftovers);
  for (auto& leftover : *leftovers) {
    auto ended = co_await end_leftover(std::move(leftover), deadline);
    if (!ended) co_return pass_on(ended);
  }

  std::move_only_function<Result<Fd>()> knock = [path = plan.monitor_path] { return connect_to(path); };
  auto connection = co_await workers.run<Fd>(std::move(knock), deadline);
  if (connection) {
    auto quit = co_await quit_at(std::move(*connection), deadline);
    if (!quit) co_return pass_on(quit);
  } else if (connection.error().code != VIR_ERR_NO_DOMAIN) {
    co_return pass_on(connection);
  }
  std::move_only_function<Result<bool>()> remove = [plan] {
    if (plan.clean_up) plan.clean_up();
    ::unlink(plan.monitor_path.c_str());
    ::unlink(plan.pid_file.c_str());
    return Result<bool>(true);
  };
  auto removed = co_await workers.run<bool>(std::move(remove), deadline);
  if (!removed) co_return pass_on(removed);
  co_return Result<void>();
}

}  // namespace vireo::qemu
