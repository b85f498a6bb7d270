// The seam between whatever starts guests' processes and the host's control groups: one group for each guest, in every
// hierarchy that is there. Blocks (workers call it); may be called from several threads.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "model/definition.hpp"

namespace vireo::ports {

struct CgroupPlace {
  std::vector<std::string> folders;  // which the guest's process is to join
  std::vector<std::string> lost;     // what cannot be had on this host, a sentence each
};

class GuestCgroups {
 public:
  virtual ~GuestCgroups() = default;

  // Makes the groups of `guest` (a name that is its own among this daemon's guests) and sets the limits that the
  // definition asks for. When it fails nothing is left. Errors: VIR_ERR_CONFIG_UNSUPPORTED for a limit that this host
  // cannot keep, VIR_ERR_SYSTEM_ERROR naming the file.
  virtual Result<CgroupPlace> make(const std::string& guest, const model::DomainDef& definition) = 0;

  // Limits each of the guest's vCPU threads, given in their order, as period and quota say. Errors as above.
  virtual Result<void> limit_vcpus(const std::string& guest, const std::vector<pid_t>& threads,
                                   const model::CpuTune& tune) = 0;

  // Removes them, once no process is in them. Succeeds when there are none.
  virtual Result<void> remove(const std::string& guest) = 0;
};

}  // namespace vireo::ports
