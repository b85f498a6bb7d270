// Starting a program as a process of its own: own session, no descriptors but those it is meant to have, signals as a
// fresh process expects them. Blocks (a worker calls it); what runs between fork and exec makes system calls only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace vireo::qemu {

struct SpawnRequest {
  std::vector<std::string> argv;         // the first is the program's absolute path
  std::vector<std::string> environment;  // "NAME=value"
  int input_fd = -1;                     // standard input; -1: /dev/null
  int output_fd = -1;                    // standard output; -1: /dev/null
  int error_fd = -1;                     // standard error; -1: /dev/null
  int kept_fd = -1;                      // inherited under the same number, 3 or more; -1: none
};

struct Spawned {
  pid_t pid = 0;
  Fd pidfd;
  std::uint64_t start_time_ticks = 0;
};

// Returns when the program runs (its exec succeeded). Errors: VIR_ERR_SYSTEM_ERROR naming the program or the step.
Result<Spawned> spawn(const SpawnRequest& request);

// Kills a spawned process and collects it, waiting for its end up to ten seconds.
void kill_and_reap(const Fd& pidfd);

// Error: VIR_ERR_SYSTEM_ERROR in libvirt's words when there is no such file or it may not be executed.
Result<void> check_executable(const std::string& path);

}  // namespace vireo::qemu
