// One process of the host, held by a pidfd: a pidfd means that process and no later one with the same pid, and becomes
// readable when the process ends, so nobody polls. Identity (start time, state) is read from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/wake.hpp"

namespace vireo::qemu {

// From /proc/PID/stat.
struct ProcessStat {
  char state = '?';                    // 'Z' and 'X': ended
  std::uint64_t start_time_ticks = 0;  // field 22: since boot
  bool ended() const { return state == 'Z' || state == 'X'; }
};

// Empty when there is no such process.
std::optional<ProcessStat> read_process_stat(pid_t pid);

// Error: VIR_ERR_NO_DOMAIN when no process has that pid, VIR_ERR_SYSTEM_ERROR otherwise.
Result<Fd> open_pidfd(pid_t pid);

// True: delivered, or the process has ended already.
bool send_signal(const Fd& pidfd, int signal);

struct ExitStatus {
  int code = -1;   // -1: unknown (not our child), or ended by a signal
  int signal = 0;  // 0: not ended by a signal
};

// Collects an ended child; for a process that is not our child nothing can be told.
ExitStatus reap(const Fd& pidfd);

// Watches a process until it ends. Used on one executor.
class Process : public std::enable_shared_from_this<Process> {
 public:
  static std::shared_ptr<Process> watch(const asio::any_io_executor& executor, pid_t pid, Fd pidfd);

  pid_t pid() const { return pid_; }
  bool ended() const { return ended_; }
  const ExitStatus& exit_status() const { return exit_status_; }  // once ended

  // Called once when the process has ended and was reaped; never after let_go().
  void on_end(std::function<void()> call) { on_end_ = std::move(call); }
  bool signal(int number) { return ended_ || send_signal(pidfd_, number); }
  // True: it has ended. False: the deadline has passed, or the watch was let go.
  asio::awaitable<bool> wait_end(Deadline deadline);
  // Stops watching; the process lives on. Everybody's waiting ends.
  void let_go();

 private:
  Process(const asio::any_io_executor& executor, pid_t pid, Fd pidfd, Fd watched);
  static asio::awaitable<void> watch_loop(std::shared_ptr<Process> self);
  static asio::awaitable<bool> do_wait_end(std::shared_ptr<Process> self, Deadline deadline);

  pid_t pid_;
  Fd pidfd_;
  asio::posix::stream_descriptor watched_;
  bool ended_ = false;
  bool let_go_ = false;
  ExitStatus exit_status_;
  std::function<void()> on_end_;
  std::list<std::shared_ptr<Wake>> waiters_;
};

}  // namespace vireo::qemu
