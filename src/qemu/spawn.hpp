// Starting a program as a process of its own, by way of vireo-exec: own session, no descriptors but those it is meant
// to have, its own user, groups and control groups, no privileges. Blocks (a worker calls it). Nothing of the daemon
// runs between fork and exec: what the new process must not have, vireo-exec (src/exec) takes off.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/credentials.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"

namespace vireo::qemu {

// How this daemon starts other programs; the same for all.
struct ExecOptions {
  std::string helper = default_helper();  // vireo-exec's absolute path
  std::optional<Credentials> user;        // who they run as; none: as the daemon itself

  // ../libexec/vireo-exec, seen from the folder of this very program.
  static std::string default_helper();
};

// What a security module of the kernel makes of the program at its exec; none without a model.
struct ExecLabel {
  std::string security_model;  // "apparmor" or "selinux"
  std::string label;           // a profile's name, or a context
};

struct SpawnRequest {
  ExecOptions exec;
  std::vector<std::string> argv;         // the first is the program's absolute path
  std::vector<std::string> environment;  // "NAME=value"
  int input_fd = -1;                     // standard input; -1: /dev/null
  int output_fd = -1;                    // standard output; -1: /dev/null
  int error_fd = -1;                     // standard error; -1: /dev/null
  std::vector<int> kept_fds;             // inherited under the same numbers, 3 or more each
  std::vector<std::string> cgroups;      // folders of the control groups to join
  bool die_with_daemon = false;          // killed when the thread that spawned it ends, be it with the daemon
  std::string pid_file;                  // written before privileges are dropped; empty: none
  // Empty: as the daemon's own.
  std::optional<std::uint64_t> memlock_bytes, core_bytes;
  std::optional<int> oom_score, nice;
  ExecLabel label = {};
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
