// Gate: counts the calls that are inside, so that shutdown can refuse new ones and wait for the rest. Any thread may
// enter, leave and close.
#pragma once

#include <condition_variable>
#include <optional>
#include <utility>

#include "base/counted_mutex.hpp"

namespace vireo {

class Gate {
 public:
  // Held by a call while it is inside.
  class Pass {
   public:
    explicit Pass(Gate& gate) : gate_(&gate) {}
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_) gate_->leave();
    }

   private:
    Gate* gate_;
  };

  // Nothing once the gate is closed.
  [[nodiscard]] std::optional<Pass> enter() {
    const CountedMutex::Hold hold(mutex_);
    if (closed_) return std::nullopt;
    ++inside_;
    return std::optional<Pass>(std::in_place, *this);
  }

  void close() {
    const CountedMutex::Hold hold(mutex_);
    closed_ = true;
  }

  // Blocks the calling thread until nobody is inside: false if somebody still is at the deadline.
  bool wait_until_empty(Deadline deadline) {
    CountedMutex::Hold hold(mutex_);
    return left_.wait_until(hold, deadline.time(), [this] { return inside_ == 0; });
  }

  unsigned inside() const {
    const CountedMutex::Hold hold(mutex_);
    return inside_;
  }

 private:
  void leave() {
    const CountedMutex::Hold hold(mutex_);
    if (--inside_ == 0) left_.notify_all();
  }

  mutable CountedMutex mutex_{"gate"};  // guards inside_ and closed_
  std::condition_variable_any left_;
  unsigned inside_ = 0;
  bool closed_ = false;
};

}  // namespace vireo
