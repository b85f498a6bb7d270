// Whether a user will be able to open a file and, if not, what forbids it: which part of the path, and which mode bit
// or entry of its access control list. judge() is the kernel's rule as a pure function; find_denial() walks a path with
// it and blocks (a worker calls it). The kernel has the last word: what it lets through is no denial.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/credentials.hpp"

namespace vireo::security {

// An entry of a POSIX access control list, as its attribute has it.
struct AclEntry {
  enum Tag : std::uint16_t { Owner = 1, User = 2, OwningGroup = 4, Group = 8, Mask = 16, Other = 32 };
  std::uint16_t tag = 0;
  std::uint16_t permissions = 0;  // R 4, W 2, X 1
  std::uint32_t id = 0;           // of User and Group

  bool operator==(const AclEntry&) const = default;
};

// The attribute system.posix_acl_access; nothing if it is none of version 2.
std::optional<std::vector<AclEntry>> parse_acl(std::span<const std::byte> attribute);

// What matters of a file or folder.
struct Inode {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;
  std::vector<AclEntry> acl = {};  // empty: the mode is all there is
};

struct Verdict {
  bool allowed = true;
  std::string rule;  // "mode" or "acl"; if not allowed
  std::string why;   // "its mode 0700 gives others no x (it belongs to 0:0)"
};

// For a process without capabilities, be it root's. `wanted`: R_OK | W_OK | X_OK (unistd.h).
Verdict judge(const Credentials& who, const Inode& inode, int wanted);

struct Denial {
  std::string component;  // the part of the path that forbids it
  std::string rule;       // "missing", "mode", "acl", "read-only", "error"
  std::string why;        // a sentence without its end
};

struct Question {
  std::string path;
  int wanted = 0;
  bool lent = false;        // the file itself will belong to the user
  bool may_create = false;  // if it is missing, being able to make it is enough
};

std::optional<Denial> find_denial(const Credentials& who, const Question& question);

}  // namespace vireo::security
