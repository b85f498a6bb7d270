// Starting one QEMU process: folders, listening socket, control groups, log, spawn, handshake. Either a process with an
// open, negotiated monitor and stopped vCPUs comes out, or nothing is left: no process, socket, pid file or control
// group. Knows argv only as a function.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/workers.hpp"
#include "ports/guest_cgroups.hpp"
#include "ports/launch_recorder.hpp"
#include "qemu/guest.hpp"
#include "qemu/spawn.hpp"
#include "qemu/tap.hpp"

namespace vireo::qemu {

struct LaunchPlan {
  std::string monitor_path;
  std::string pid_file;  // written for QEMU before it has its user; removed when the launch fails
  std::string log_path;
  std::string home;  // a folder of QEMU's own, made here inside the guest's folder, for what it creates itself
  std::vector<std::string> outputs;  // empty files to be made for QEMU to write to
  std::string about;                 // versions, for the log's header
  std::string boot_id;
  std::vector<std::string> environment;
  // The command line, given the numbers of the inherited listening socket and of each interface's TAP device (-1:
  // none).
  std::function<std::vector<std::string>(int monitor_fd, const std::vector<int>& tap_fds)> argv;
  std::vector<model::Interface> interfaces;  // those of the host's side are opened for QEMU
  // What they are called is put here before the handshake.
  std::shared_ptr<std::vector<std::string>> tap_names = std::make_shared<std::vector<std::string>>();

  ExecOptions exec;
  std::string owner;  // "+107:+36": whom it runs as instead of exec.user; empty: as that says
  ExecLabel exec_label;
  std::optional<int> oom_score, nice;
  std::optional<std::uint64_t> core_bytes, memlock_bytes;
  // Makes the guest's control groups (on a worker); none: it stays in the daemon's. The other one removes them; it is
  // called again when the guest ends.
  std::function<Result<ports::CgroupPlace>()> make_cgroups;
  CleanUp remove_cgroups;
  ports::LaunchRecorderPtr recorder = std::make_shared<ports::LaunchRecorder>();
};

// Called on the core; what blocks goes to `workers`. Errors: VIR_ERR_INTERNAL_ERROR "process exited while connecting to
// monitor: …" with the last lines of QEMU's log, VIR_ERR_OPERATION_TIMEOUT when the monitor does not answer before the
// deadline, VIR_ERR_SYSTEM_ERROR naming the step that failed. `finish` runs with the open monitor before the launch
// counts as done; its failure is the launch's.
using LaunchFinish = std::function<asio::awaitable<Result<void>>(GuestStatePtr, Deadline)>;
asio::awaitable<Result<GuestStatePtr>> launch_process(Workers& workers, LaunchPlan plan, LaunchFinish finish,
                                                      Deadline deadline);

}  // namespace vireo::qemu
