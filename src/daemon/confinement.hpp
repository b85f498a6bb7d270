// What guests' processes are given and denied, decided once when the daemon starts: their user, their control groups,
// who labels their files. What the daemon may not do (it is not root) or the host does not have is left out and said.
#pragma once

#include <memory>

#include "base/workers.hpp"
#include "daemon/config.hpp"
#include "daemon/paths.hpp"
#include "ports/labeler.hpp"
#include "qemu/hypervisor.hpp"

namespace vireo::daemon {

struct Confinement {
  qemu::QemuOptions qemu;
  bool changes_owners = false;  // of images (security_driver); needs qemu.exec.user
};

// Also removes the control groups that ended guests of an earlier daemon have left. Errors: VIR_ERR_CONF_SYNTAX naming
// the option and the remedy.
Result<Confinement> confine(const Paths& paths, const Config& config);

std::unique_ptr<ports::Labeler> make_labeler(const Confinement& confinement, Workers& workers,
                                             const std::string& boot_id);

}  // namespace vireo::daemon
