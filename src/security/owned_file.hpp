// One file whose owner is changed for the time of guests: giving it to a guest's user and giving it back. Blocks; what
// is remembered is in the file's extended attribute trusted.vireo.owner.
#pragma once

#include <string>

#include "base/credentials.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"

namespace vireo::security {

struct Tenant {
  const Credentials& user;     // who the file is to belong to
  const std::string& boot_id;  // what is remembered of another boot's guests is forgotten
  std::string life;   // of a guest, and of no other of its lives: one may begin while the one before is cleared away
  Deadline deadline;  // for the turn at the file (security/file_turns.hpp)
};

// Makes the file accessible: a file to be written becomes the user's; one to be read only if the user cannot read it
// as it is. Only regular files and block devices change their owner. When it fails the file is as it was. Errors:
// VIR_ERR_SYSTEM_ERROR in libvirt's words, followed by what is in the way; VIR_ERR_OPERATION_INVALID when running
// guests have it as another user's.
Result<void> give(const std::string& path, bool write, const Tenant& tenant);

// Takes the guest off the file, and gives the file back with the last one. Succeeds if there is nothing to do.
Result<void> give_back(const std::string& path, const Tenant& tenant);

// Whether the user can open the file as it is. Error: as give().
Result<void> check_access(const std::string& path, bool write, const Credentials& user);

}  // namespace vireo::security
