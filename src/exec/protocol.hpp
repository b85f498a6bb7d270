// What vireo-exec and its caller agree on: the steps it takes and the reports it writes. The caller gives it a pipe;
// one report {Ready} just before the program is executed, or {step, errno} for the step that failed, after which
// vireo-exec ends with status 127. The pipe closes by itself when the program runs. May be included everywhere; knows
// nothing.
#pragma once

namespace vireo::exec {

enum class Step : int {
  Ready,  // all is set up; what follows is the program, or a report of Execute
  Arguments,
  Session,
  Folder,
  Descriptors,
  Cgroup,
  Limits,
  OomScore,
  Priority,
  PidFile,
  SecurityLabel,
  BoundingSet,
  Groups,
  Group,
  User,
  Capabilities,
  NoNewPrivileges,
  Tie,
  Execute,
};

struct Report {
  Step step;
  int error;  // errno
};

inline constexpr int kFailedStatus = 127;

// What was tried: "cannot …".
constexpr const char* text_of(Step step) {
  switch (step) {
    case Step::Ready:
      return "begin";
    case Step::Arguments:
      return "understand the arguments of vireo-exec";
    case Step::Session:
      return "start a session";
    case Step::Folder:
      return "change to the root folder";
    case Step::Descriptors:
      return "set up descriptors";
    case Step::Cgroup:
      return "join the control group";
    case Step::Limits:
      return "set resource limits";
    case Step::OomScore:
      return "set the out-of-memory score";
    case Step::Priority:
      return "set the scheduling priority";
    case Step::PidFile:
      return "write the pid file";
    case Step::SecurityLabel:
      return "set the security label";
    case Step::BoundingSet:
      return "empty the capability bounding set";
    case Step::Groups:
      return "set the supplementary groups";
    case Step::Group:
      return "set the group";
    case Step::User:
      return "set the user";
    case Step::Capabilities:
      return "drop capabilities";
    case Step::NoNewPrivileges:
      return "renounce new privileges";
    case Step::Tie:
      return "tie its life to the daemon's";
    case Step::Execute:
      return "execute";
  }
  return "begin";
}

}  // namespace vireo::exec
