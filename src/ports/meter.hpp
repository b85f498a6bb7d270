// The seam between the core and what the host's kernel counts of a guest's process. Nothing here asks the process, so a
// guest that hangs is measured like any other.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "model/definition.hpp"
#include "model/stats.hpp"

namespace vireo::ports {

enum class Look {
  quick,  // the counters: about twenty microseconds of a process with one vCPU
  close,  // also what each thread does (HostFigures::stuck, VcpuTimes::processor) and the group's pressure: three times
          // that
};

// Measures one life of a guest.
class GuestMeter {
 public:
  virtual ~GuestMeter() = default;
  // On a worker, or on several at once: reads some files of /proc and /sys. `files`: the paths whose sizes are wanted,
  // of those that the process has open; a file system that hangs is not asked. A process that has ended gives zeroes.
  virtual model::HostFigures read(const std::vector<std::string>& files, Look look) = 0;
};

class Meters {
 public:
  virtual ~Meters() = default;
  // Cheap; any thread. `live`: as it is when the life begins.
  virtual std::shared_ptr<GuestMeter> open(pid_t pid, model::DomainDefPtr live) const = 0;
};

}  // namespace vireo::ports
