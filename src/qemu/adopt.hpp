// Taking over a running QEMU from an earlier daemon, and ending one that an earlier daemon had started but not
// recorded. Called on the core; what blocks goes to the workers.
#pragma once

#include <string>

#include "base/workers.hpp"
#include "qemu/guest.hpp"

namespace vireo::qemu {

struct AdoptPlan {
  ports::ProcessIdentity process;
  std::string boot_id;  // of the host now
  std::string monitor_path;
  std::string log_path;
  CleanUp clean_up;  // for when the process has ended, or turns out to have
};

// The process with an open, negotiated monitor. Errors: see ports::Hypervisor::adopt.
asio::awaitable<Result<GuestStatePtr>> adopt_process(Workers& workers, AdoptPlan plan, Deadline deadline);

// What an unrecorded launch may have left.
struct SweepPlan {
  std::string monitor_path;
  std::string pid_file;
  std::string home;  // as in its process's environment (LaunchPlan)
  CleanUp clean_up;
  std::optional<ports::ProcessIdentity> process;  // of this boot of the host
};

// Ends that process, whoever has that home in its environment or answers at the monitor path, removes both files and
// cleans up. Succeeds when nobody is there. VIR_ERR_SYSTEM_ERROR when a process does not end before the deadline.
asio::awaitable<Result<void>> sweep_process(Workers& workers, SweepPlan plan, Deadline deadline);

}  // namespace vireo::qemu
