// For log lines that a client can cause as often as it likes: one in ten seconds, which says how many were left out.
// Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/deadline.hpp"

namespace vireo {

class LogLimit {
 public:
  // What to append to the line that may be written now, "" or " (and 41 more)"; nothing: not now.
  std::optional<std::string> turn(SteadyClock::time_point now = SteadyClock::now()) {
    const auto at = now.time_since_epoch().count();
    auto next = next_.load(std::memory_order_relaxed);
    if (at < next || !next_.compare_exchange_strong(next, at + interval.count(), std::memory_order_relaxed)) {
      left_out_.fetch_add(1, std::memory_order_relaxed);
      return std::nullopt;
    }
    const auto more = left_out_.exchange(0, std::memory_order_relaxed);
    return more == 0 ? std::string() : fmt::format(" (and {} more since the last such line)", more);
  }

 private:
  static constexpr SteadyClock::duration interval = std::chrono::seconds(10);
  std::atomic<SteadyClock::rep> next_{SteadyClock::time_point::min().time_since_epoch().count()};
  std::atomic<std::uint64_t> left_out_{0};
};

}  // namespace vireo
