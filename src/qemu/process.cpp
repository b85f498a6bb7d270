// pidfds, /proc/PID/stat and the wait for a process's end.
#include "qemu/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <fstream>
#include <sstream>

namespace vireo::qemu {

std::optional<ProcessStat> read_process_stat(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  if (!std::getline(file, text)) return std::nullopt;
  // The second field is the program's name in brackets and may hold anything, brackets too: begin after the last one.
  const auto bracket = text.rfind(')');
  if (bracket == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(bracket + 1));
  ProcessStat stat;
  fields >> stat.state;
  constexpr int kState = 3, kStartTime = 22;
  std::string skipped;
  for (int field = kState + 1; field < kStartTime; ++field) fields >> skipped;
  fields >> stat.start_time_ticks;
  if (!fields) return std::nullopt;
  return stat;
}

Result<Fd> open_pidfd(pid_t pid) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (fd) return fd;
  const int error = errno;
  if (error == ESRCH) return fail(VIR_ERR_NO_DOMAIN, "process " + std::to_string(pid) + " has ended");
  return fail_errno(error, "cannot open process " + std::to_string(pid));
}

bool send_signal(const Fd& pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0 || errno == ESRCH;
}

ExitStatus reap(const Fd& pidfd) {
  ExitStatus status;
  siginfo_t info{};
  int result;
  do {
    result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG);
  } while (result < 0 && errno == EINTR);
  if (result < 0 || info.si_pid == 0) return status;
  if (info.si_code == CLD_EXITED)
    status.code = info.si_status;
  else
    status.signal = info.si_status;
  return status;
}

Process::Process(const asio::any_io_executor& executor, pid_t pid, Fd pidfd, Fd watched)
    : pid_(pid), pidfd_(std::move(pidfd)), watched_(executor, watched.release()) {}

std::shared_ptr<Process> Process::watch(const asio::any_io_executor& executor, pid_t pid, Fd pidfd) {
  Fd watched(::fcntl(pidfd.get(), F_DUPFD_CLOEXEC, 3));
  if (!watched) throw std::system_error(errno, std::generic_category(), "cannot duplicate a pidfd");
  std::shared_ptr<Process> self(new Process(executor, pid, std::move(pidfd), std::move(watched)));
  asio::co_spawn(executor, watch_loop(self), asio::detached);
  return self;
}

asio::awaitable<void> Process::watch_loop(std::shared_ptr<Process> self) {
  boost::system::error_code error;
  co_await self->watched_.async_wait(asio::posix::descriptor_base::wait_read,
                                     asio::redirect_error(asio::use_awaitable, error));
  if (error || self->let_go_) co_return;
  self->exit_status_ = reap(self->pidfd_);
  self->ended_ = true;
  for (auto& waiter : self->waiters_) waiter->fire();
  if (auto call = std::exchange(self->on_end_, nullptr)) call();
}

asio::awaitable<bool> Process::wait_end(Deadline deadline) { return do_wait_end(shared_from_this(), deadline); }

asio::awaitable<bool> Process::do_wait_end(std::shared_ptr<Process> self, Deadline deadline) {
  if (self->ended_) co_return true;
  if (self->let_go_) co_return false;
  auto wake = std::make_shared<Wake>(self->watched_.get_executor());
  self->waiters_.push_back(wake);
  co_await wake->wait(deadline);
  std::erase(self->waiters_, wake);
  co_return self->ended_;
}

void Process::let_go() {
  let_go_ = true;
  on_end_ = nullptr;
  boost::system::error_code ignored;
  watched_.close(ignored);
  for (auto& waiter : waiters_) waiter->fire();
}

}  // namespace vireo::qemu
