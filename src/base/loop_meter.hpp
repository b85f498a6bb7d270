// How busy an event loop's thread is: its time at work, the number of its turns and the longest of them. A turn is what
// the loop does without looking around: while one lasts, nothing else of that thread goes on. The thread writes, any
// thread reads.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace vireo {

class LoopMeter {
 public:
  struct Figures {
    std::uint64_t turns = 0;
    std::chrono::nanoseconds busy{0}, longest{0}, span{0};  // span: since the start or the last reset
    double load() const { return span.count() > 0 ? static_cast<double>(busy.count()) / span.count() : 0; }
  };

  void add(std::chrono::nanoseconds turn) {
    const auto ns = turn.count();
    turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    busy_ns_.store(busy_ns_.load(std::memory_order_relaxed) + ns, std::memory_order_relaxed);
    if (ns > longest_ns_.load(std::memory_order_relaxed)) longest_ns_.store(ns, std::memory_order_relaxed);
  }
  Figures figures() const {
    return {.turns = turns_.load(std::memory_order_relaxed),
            .busy = std::chrono::nanoseconds(busy_ns_.load(std::memory_order_relaxed)),
            .longest = std::chrono::nanoseconds(longest_ns_.load(std::memory_order_relaxed)),
            .span = std::chrono::steady_clock::now().time_since_epoch() -
                    std::chrono::nanoseconds(since_ns_.load(std::memory_order_relaxed))};
  }
  // Begins anew; the turn that ends at this moment may be lost.
  void reset() {
    turns_.store(0, std::memory_order_relaxed);
    busy_ns_.store(0, std::memory_order_relaxed);
    longest_ns_.store(0, std::memory_order_relaxed);
    since_ns_.store(now_ns(), std::memory_order_relaxed);
  }

 private:
  static std::int64_t now_ns() {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  std::atomic<std::uint64_t> turns_{0};
  std::atomic<std::int64_t> busy_ns_{0}, longest_ns_{0}, since_ns_{now_ns()};
};

}  // namespace vireo
