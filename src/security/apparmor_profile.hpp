// The AppArmor profile of one guest, as text: what its QEMU may open, and nothing else. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "model/definition.hpp"

namespace vireo::security {

// One file of the guest, by the path at which the kernel finds it (links followed).
struct ProfileFile {
  std::string path;
  std::string permissions;  // "r", "rwk", "mr"
};

struct ProfileFacts {
  std::string name;
  std::string runtime_dir;  // of this very guest: sockets and what QEMU creates itself
  std::string log_path;
  std::vector<ProfileFile> files;
};

// Error: VIR_ERR_CONFIG_UNSUPPORTED naming a path that no profile can hold (it has control characters).
Result<std::string> apparmor_profile(const ProfileFacts& facts);

// The line of a profile that lets the process have the file; what a profile of another time can be searched for.
std::string apparmor_rule(const ProfileFile& file);

}  // namespace vireo::security
