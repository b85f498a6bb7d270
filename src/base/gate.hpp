// Gate: counts the calls that are inside, so that shutdown can refuse new ones and wait for the rest. Any thread may
// enter, leave and close.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "base/deadline.hpp"

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
    std::lock_guard hold(mutex_);
    if (closed_) return std::nullopt;
    ++inside_;
    return std::optional<Pass>(std::in_place, *this);
  }

  void close() {
    std::lock_guard hold(mutex_);
    closed_ = true;
  }

  // Blocks the calling thread until nobody is inside: false if somebody still is at the deadline.
  bool wait_until_empty(Deadline deadline) {
    std::unique_lock hold(mutex_);
    return left_.wait_until(hold, deadline.time(), [this] { return inside_ == 0; });
  }

  unsigned inside() const {
    std::lock_guard hold(mutex_);
    return inside_;
  }

 private:
  void leave() {
    std::lock_guard hold(mutex_);
    if (--inside_ == 0) left_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable left_;
  unsigned inside_ = 0;
  bool closed_ = false;
};

}  // namespace vireo
