// The list of verbs and states.
#include "core/legality.hpp"

namespace vireo::core {

const char* name_of(Verb verb) {
  switch (verb) {
    case Verb::Define:
      return "define";
    case Verb::Create:
      return "create";
    case Verb::Start:
      return "start";
    case Verb::Destroy:
      return "destroy";
    case Verb::Suspend:
      return "suspend";
    case Verb::Resume:
      return "resume";
    case Verb::Reset:
      return "reset";
    case Verb::Shutdown:
      return "shutdown";
    case Verb::Reboot:
      return "reboot";
    case Verb::Undefine:
      return "undefine";
    case Verb::Rename:
      return "rename";
    case Verb::SetAutostart:
      return "autostart";
    case Verb::SetMetadata:
      return "metadata";
    case Verb::SetStatsPeriod:
      return "memory statistics period";
    case Verb::StartDirtyRate:
      return "dirty rate";
    case Verb::MonitorCommand:
      return "monitor command";
    case Verb::OpenConsole:
      return "console";
  }
  return "unknown";
}

Result<void> allow(Verb verb, const model::DomainView& domain) {
  switch (verb) {
    case Verb::Define:
    case Verb::SetMetadata:
    case Verb::SetStatsPeriod:
      return {};
    case Verb::Create:
      if (domain.active())
        return fail_from(VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain '" + domain.name + "' is already active");
      return {};
    case Verb::Start:
      if (domain.active()) return fail(VIR_ERR_OPERATION_INVALID, "domain is already running");
      return {};
    case Verb::Undefine:
      if (!domain.persistent) return fail(VIR_ERR_OPERATION_INVALID, "cannot undefine transient domain");
      return {};
    case Verb::Rename:
      if (domain.active()) return fail(VIR_ERR_OPERATION_INVALID, "cannot rename active domain");
      return {};
    case Verb::SetAutostart:
      if (!domain.persistent) return fail(VIR_ERR_OPERATION_INVALID, "cannot set autostart for transient domain");
      return {};
    case Verb::Resume:
      if (domain.active() && domain.state == VIR_DOMAIN_RUNNING)
        return fail(VIR_ERR_OPERATION_INVALID, "domain is already running");
      [[fallthrough]];
    case Verb::Destroy:
    case Verb::Suspend:
    case Verb::Reset:
    case Verb::Shutdown:
    case Verb::Reboot:
    case Verb::StartDirtyRate:
    case Verb::MonitorCommand:
    case Verb::OpenConsole:
      if (domain.active()) return {};
      // libvirt checks this in two places, which name themselves differently.
      return fail_from(verb == Verb::Shutdown ? VIR_FROM_NONE : VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID,
                       "domain is not running");
  }
  return fail(VIR_ERR_INTERNAL_ERROR, "a verb without a rule");
}

}  // namespace vireo::core
