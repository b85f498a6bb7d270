// When a wait ends at the latest. Every wait in Vireo has one. Pure.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"

namespace vireo {

class Deadline {
 public:
  static Deadline in(SteadyClock::duration span) { return Deadline(SteadyClock::now() + span); }
  static Deadline at(SteadyClock::time_point time) { return Deadline(time); }

  SteadyClock::time_point time() const { return time_; }
  bool passed() const { return SteadyClock::now() >= time_; }
  Deadline earlier_of(Deadline other) const { return Deadline(std::min(time_, other.time_)); }

 private:
  explicit Deadline(SteadyClock::time_point time) : time_(time) {}
  SteadyClock::time_point time_;
};

}  // namespace vireo
