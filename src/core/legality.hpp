// When each verb is allowed: one list, one switch. Pure.
#pragma once

#include "base/error.hpp"
#include "model/domain_view.hpp"

namespace vireo::core {

enum class Verb {
  Define,
  Undefine,
  Rename,
  Create,
  Start,
  Destroy,
  Suspend,
  Resume,
  Reset,
  Shutdown,
  Reboot,
  SetAutostart,
  SetMetadata,
  SetStatsPeriod,
  StartDirtyRate,
  MonitorCommand,
  OpenConsole,
};

// "start", "suspend": as lanes and reports name it.
const char* name_of(Verb verb);

// Error: VIR_ERR_OPERATION_INVALID in libvirt's words for what stands in the way.
Result<void> allow(Verb verb, const model::DomainView& domain);

}  // namespace vireo::core
