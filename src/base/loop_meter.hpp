// How busy an event loop's thread is: the processor time it has used, the number of its turns and the longest of them.
// A turn is what the loop does without looking around: while one lasts, nothing else of that thread goes on. The thread
// writes, any thread reads.
#pragma once

#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace vireo {

class LoopMeter {
 public:
  struct Figures {
    std::uint64_t turns = 0;
    std::chrono::nanoseconds busy{0}, longest{0}, span{0};  // span: since the start or the last reset
    double load() const { return std::chrono::duration<double>(busy) / std::max(span, std::chrono::nanoseconds(1)); }
  };

  static std::chrono::nanoseconds processor_time_of(clockid_t thread) {
    timespec time{};
    ::clock_gettime(thread, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }

  // The thread that turns the loop says so, first of all.
  void attach() {
    clockid_t own = 0;
    if (::pthread_getcpuclockid(::pthread_self(), &own) == 0) thread_.store(own, std::memory_order_relaxed);
    reset();
  }
  void add_turn(std::chrono::nanoseconds turn) {
    turns_.store(turns_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (turn.count() > longest_ns_.load(std::memory_order_relaxed))
      longest_ns_.store(turn.count(), std::memory_order_relaxed);
  }

  Figures figures() const {
    return {.turns = turns_.load(std::memory_order_relaxed),
            .busy = processor_time() - std::chrono::nanoseconds(used_before_ns_.load(std::memory_order_relaxed)),
            .longest = std::chrono::nanoseconds(longest_ns_.load(std::memory_order_relaxed)),
            .span = now() - std::chrono::nanoseconds(since_ns_.load(std::memory_order_relaxed))};
  }
  // Begins anew; a turn that ends at this moment may be lost.
  void reset() {
    turns_.store(0, std::memory_order_relaxed);
    longest_ns_.store(0, std::memory_order_relaxed);
    used_before_ns_.store(processor_time().count(), std::memory_order_relaxed);
    since_ns_.store(now().count(), std::memory_order_relaxed);
  }

 private:
  static std::chrono::nanoseconds now() { return std::chrono::steady_clock::now().time_since_epoch(); }
  std::chrono::nanoseconds processor_time() const {
    const auto thread = thread_.load(std::memory_order_relaxed);
    return thread == 0 ? std::chrono::nanoseconds(0) : processor_time_of(thread);
  }

  std::atomic<clockid_t> thread_{0};  // 0: nobody turns it yet
  std::atomic<std::uint64_t> turns_{0};
  std::atomic<std::int64_t> longest_ns_{0}, used_before_ns_{0}, since_ns_{now().count()};
};

}  // namespace vireo
