// How long callers waited at one place: the number that the fifth law asks for. Any thread adds; any thread reads. The
// figures are independent counters, so a reader may see one wait counted and not yet summed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace vireo {

class WaitStats {
 public:
  void add(std::chrono::nanoseconds waited) {
    const auto ns = static_cast<std::uint64_t>(waited.count());
    count_.fetch_add(1, std::memory_order_relaxed);
    total_ns_.fetch_add(ns, std::memory_order_relaxed);
    auto seen = max_ns_.load(std::memory_order_relaxed);
    while (seen < ns && !max_ns_.compare_exchange_weak(seen, ns, std::memory_order_relaxed)) {
    }
  }

  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  std::uint64_t total_ns() const { return total_ns_.load(std::memory_order_relaxed); }
  std::uint64_t max_ns() const { return max_ns_.load(std::memory_order_relaxed); }

  // Begins anew; a wait that is added at the same moment may be half lost.
  void reset() {
    for (auto* figure : {&count_, &total_ns_, &max_ns_}) figure->store(0, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> count_{0}, total_ns_{0}, max_ns_{0};
};

}  // namespace vireo
