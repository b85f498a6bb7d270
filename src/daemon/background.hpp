// Going to the background: the caller's process waits until the daemon serves, then exits, so that a script that starts
// vireod can use it on the next line. And the pid file, whose lock keeps two daemons off one root.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace vireo::daemon {

// The child's end of the wait. Destroyed without ready(): the parent reports failure.
class Background {
 public:
  // Forks; returns in the child only, detached from the terminal. The parent exits with 0 once ready() is called, and
  // with 1 after printing what failed() is given. Call before any thread exists.
  static Background detach();
  // Stays in the foreground: ready() and failed() do nothing.
  static Background none() { return {}; }

  void ready();
  void failed(const std::string& why);

 private:
  Fd to_parent_;
};

// Locks and writes the pid file. The lock ends with the process. Error: VIR_ERR_OPERATION_FAILED naming the other
// daemon's pid.
Result<Fd> lock_pid_file(const std::string& path);

}  // namespace vireo::daemon
