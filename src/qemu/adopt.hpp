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
};

// The process with an open, negotiated monitor. Errors: see ports::Hypervisor::adopt.
asio::awaitable<Result<GuestStatePtr>> adopt_process(Workers& workers, AdoptPlan plan, Deadline deadline);

// Ends whoever has that pid file in its command line or answers at the monitor path, and removes both files. Succeeds
// when nobody is there. VIR_ERR_SYSTEM_ERROR when a process does not end before the deadline.
asio::awaitable<Result<void>> sweep_process(Workers& workers, std::string monitor_path, std::string pid_file,
                                            Deadline deadline);

}  // namespace vireo::qemu
