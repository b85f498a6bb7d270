// What is known of a guest's way to one of its files: whether its process can open it and, if not, what forbids it.
// Plain values.
#pragma once

#include <string>

namespace vireo::model {

struct FileAccess {
  std::string path;
  std::string role;  // "disk vda", "kernel", …
  std::string how;   // "read", "write", "execute"
  std::string as;    // "uid 64055 (vireo-qemu), gid 64055"
  bool allowed = true;
  bool lent = false;      // its owner is changed for the time of the guest, and that was counted in
  std::string component;  // of the path, which forbids it; empty if allowed
  std::string rule;       // "missing", "mode", "acl", "read-only", "apparmor", "selinux", "error"; empty if allowed
  std::string why;        // the sentence that says so; empty if allowed
};

}  // namespace vireo::model
