// Times the steps of one start while it happens. Shared by the core and the hypervisor, on the core thread only.
#pragma once

#include "base/deadline.hpp"
#include "model/launch_trace.hpp"

namespace vireo::ports {

class LaunchRecorder {
 public:
  // Ends the step before, if there is one. `name` lives for ever; see model/launch_trace.hpp for the names.
  void begin(const char* name) {
    const auto now = now_us();
    end_step(now);
    trace_.steps.push_back({.name = name, .begin_us = now, .end_us = now});
  }
  // Since when the steps count, until finish().
  SteadyClock::time_point began() const { return began_; }
  std::int64_t elapsed_us() const { return now_us(); }
  const model::LaunchTrace& so_far() const { return trace_; }
  // The guest runs without something that it was meant to have.
  void lose(std::string sentence) { trace_.lost.push_back(std::move(sentence)); }

  // Ends the last step. Error: why the start failed; empty: it did not.
  model::LaunchTracePtr finish(std::string error) {
    end_step(now_us());
    trace_.error = std::move(error);
    return std::make_shared<const model::LaunchTrace>(std::move(trace_));
  }

 private:
  void end_step(std::int64_t now) {
    if (!trace_.steps.empty()) trace_.steps.back().end_us = now;
  }
  std::int64_t now_us() const {
    return std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - began_).count();
  }

  SteadyClock::time_point began_ = SteadyClock::now();
  model::LaunchTrace trace_{.began = std::chrono::system_clock::now(), .steps = {}, .error = {}, .lost = {}};
};
using LaunchRecorderPtr = std::shared_ptr<LaunchRecorder>;

}  // namespace vireo::ports
