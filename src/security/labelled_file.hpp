// One file whose label (an extended attribute that the kernel's security module reads) is changed for the time of
// guests: setting it and putting the former one back. What that was, and which guests use the file, stands in a second
// attribute. Blocks.
#pragma once

#include <string>

#include "base/deadline.hpp"
#include "base/error.hpp"

namespace vireo::security {

struct LabelAttributes {
  std::string label = "security.selinux";
  std::string memory = "trusted.vireo.label";
};

struct LabelTenant {
  const LabelAttributes& attributes;
  const std::string& boot_id;  // what is remembered of another boot's guests is forgotten
  std::string life;            // of a guest, and of no other of its lives
  Deadline deadline;           // for the turn at the file (security/file_turns.hpp)
};

// What the file is labelled now; empty: it has no label, or is not there.
std::string label_of(const std::string& path, const LabelAttributes& attributes);

// When it fails the file is as it was. Errors: VIR_ERR_SYSTEM_ERROR; VIR_ERR_OPERATION_INVALID when running guests
// have the file under another label.
Result<void> set_label(const std::string& path, const std::string& label, const LabelTenant& tenant);

// Takes the guest off the file, and puts the former label back with the last one. Succeeds if there is nothing to do.
Result<void> put_label_back(const std::string& path, const LabelTenant& tenant);

}  // namespace vireo::security
