// The Meters port on Linux: what /proc and /sys tell of a process. Nothing here waits for the process or for a file
// system of its: sizes are asked of the open files themselves, without a path walk, and the kernel answers with what it
// knows (AT_STATX_DONT_SYNC in statx(2)).
#pragma once

#include "ports/meter.hpp"

namespace vireo::host {

class ProcMeters final : public ports::Meters {
 public:
  std::shared_ptr<ports::GuestMeter> open(pid_t pid, model::DomainDefPtr live) const override;
};

}  // namespace vireo::host
