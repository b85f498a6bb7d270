// How long the steps of a guest's start took: what `vireo trace` prints. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vireo::model {

// The steps, in the order in which they come (see core/run/bring_up.cpp): complete (of a transient guest), lane, claim,
// admission, files, label, persist (the intent), capabilities, spawn, handshake, devices, persist (the process),
// continue, publish; after a failure undo. A step ends where the next begins.
struct LaunchStep {
  const char* name;                       // lives for ever
  std::int64_t begin_us = 0, end_us = 0;  // since the start was asked for
};

struct LaunchTrace {
  std::chrono::system_clock::time_point began;
  std::vector<LaunchStep> steps;
  std::string error;              // why the start failed; empty: it did not
  std::vector<std::string> lost;  // what the guest has to do without, a sentence each ("no cgroup: …")
  std::int64_t total_us() const { return steps.empty() ? 0 : steps.back().end_us; }
};
using LaunchTracePtr = std::shared_ptr<const LaunchTrace>;

}  // namespace vireo::model
