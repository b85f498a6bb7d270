// Fault points: named places just before something outside or durable is changed, or before a call that may fail. A
// test makes the Nth of them fail, or kills the daemon there, and looks at what is left. Unarmed, as always outside
// tests, passing one costs a relaxed load.
//
// The environment arms a whole daemon (arm_from_environment): VIREO_FAULT="NAME=fail", "NAME:3=kill" (the third time
// NAME is passed) or "#12=kill" (the twelfth point of any name); VIREO_FAULT_LOG=FILE appends the name of every point
// that is passed, a line each. "NAME=delay:1000" fails nothing: whoever passes NAME is held there for 1000 ms, each
// time and each caller for itself ("security.label=delay:1000": a host whose file systems label slowly).
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace vireo::fault {

enum class Action {
  Fail,   // at() returns VIR_ERR_INTERNAL_ERROR "injected fault at NAME"
  Kill,   // the process is killed, as by SIGKILL
  Delay,  // at() returns after delay_ms, every time; for points that workers pass
};

struct Plan {
  std::string name;  // empty: any
  unsigned nth = 1;  // counted from 1 among the points that match
  Action action = Action::Fail;
  unsigned delay_ms = 0;
};

// Arms this process for as long as the object lives; one at a time. For tests.
class Armed {
 public:
  // Without a plan, points are only recorded.
  Armed();
  explicit Armed(Plan plan);
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;
  ~Armed();

  // Whether the plan's point was reached.
  bool hit() const;
  // Every point that was passed, in order.
  std::vector<std::string> passed() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
};

// Error: VIR_ERR_CONF_SYNTAX when VIREO_FAULT cannot be understood.
Result<void> arm_from_environment();

extern std::atomic<bool> armed;
Result<void> reached(const char* name);

// A fault point. `name` is "room.what" ("store.save_run"), and a string that lives for ever.
inline Result<void> at(const char* name) {
  if (!armed.load(std::memory_order_relaxed)) [[likely]]
    return {};
  return reached(name);
}

// The moment after a change, where there is nothing left to fail: a daemon may be killed there.
inline void passed(const char* name) {
  if (!armed.load(std::memory_order_relaxed)) [[likely]]
    return;
  [[maybe_unused]] const auto nothing_to_fail = reached(name);
}

}  // namespace vireo::fault
