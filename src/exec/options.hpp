// The command line of vireo-exec: "--name=value" words, "--", then the program and its arguments. Plain C types: the
// program is linked statically and uses no C++ library.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

namespace vireo::exec {

struct Limit {
  bool set = false;
  rlim_t value = 0;
};

struct Options {
  static constexpr int kMaxKept = 64;
  static constexpr int kMaxCgroups = 16;
  static constexpr int kMaxGroups = 1024;

  int report_fd = -1;           // --report=FD: where the caller reads reports; required
  int kept_fds[kMaxKept] = {};  // --keep=FD, once for each that stays open besides 0, 1 and 2
  int kept_count = 0;
  const char* pid_file = nullptr;         // --pid-file=PATH
  pid_t die_with = 0;                     // --die-with=PID: ends with its parent, which must be this process
  const char* cgroups[kMaxCgroups] = {};  // --cgroup=FOLDER, once for each hierarchy
  int cgroup_count = 0;
  Limit memlock, core;         // --memlock=BYTES, --core=BYTES; "unlimited"
  bool has_oom_score = false;  // --oom-score=N
  int oom_score = 0;
  bool has_nice = false;  // --nice=N
  int nice = 0;
  const char* apparmor = nullptr;  // --apparmor=PROFILE: what confines the program from its exec on
  const char* selinux = nullptr;   // --selinux=CONTEXT: the same
  bool has_user = false;           // --uid=N --gid=N [--groups=N,N,…]: all three change, or none
  uid_t uid = 0;
  gid_t gid = 0;
  gid_t groups[kMaxGroups] = {};
  int group_count = 0;
  char** program = nullptr;  // its argv, the first word its absolute path
};

// False: a word that is unknown or makes no sense, or a required one is missing. What was understood is set.
bool parse_options(int argc, char** argv, Options& options);

}  // namespace vireo::exec
