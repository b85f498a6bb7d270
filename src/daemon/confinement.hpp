// What guests' processes are given and denied, decided once when the daemon starts: their user, their control groups,
// who labels their files. What the daemon may not do (it is not root) or the host does not have is left out and said.
#pragma once

#include <memory>

#include "base/workers.hpp"
#include "daemon/config.hpp"
#include "daemon/paths.hpp"
#include "ports/labeler.hpp"
#include "qemu/hypervisor.hpp"
#include "security/selinux.hpp"

namespace vireo::daemon {

// Which security models there can be.
struct HostSecurity {
  bool root = false, apparmor = false, selinux = false;

  static HostSecurity of_this_host();
  // Why that model cannot be in force; empty: it can.
  std::string lacks(std::string_view model) const;
};

struct Confinement {
  qemu::QemuOptions qemu;
  std::optional<security::SelinuxContexts> selinux;
  std::vector<std::string> models;  // the security models in force, in their order
};

// Also removes the control groups that ended guests of an earlier daemon have left. Errors: VIR_ERR_CONF_SYNTAX naming
// the option and the remedy.
Result<Confinement> confine(const Paths& paths, const Config& config);

std::unique_ptr<ports::Labeler> make_labeler(const Confinement& confinement, const Paths& paths, Workers& workers,
                                             const std::string& boot_id);

}  // namespace vireo::daemon
