// How long things took, in buckets: enough to tell the median from the worst hundredth, and to add up over daemons.
// Any thread adds, with two relaxed additions; any thread reads. The figures are independent counters, so a reader
// may see one time in its bucket and not yet in the sum.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace vireo {

class Histogram {
 public:
  struct Bound {
    std::uint64_t ns;
    std::string_view seconds;  // the same, as it is printed
  };
  // From what a read costs up to what nobody waits for any longer.
  static constexpr std::array bounds{
      Bound{50'000, "5e-05"},      Bound{100'000, "0.0001"},      Bound{250'000, "0.00025"},
      Bound{500'000, "0.0005"},    Bound{1'000'000, "0.001"},     Bound{2'500'000, "0.0025"},
      Bound{5'000'000, "0.005"},   Bound{10'000'000, "0.01"},     Bound{25'000'000, "0.025"},
      Bound{50'000'000, "0.05"},   Bound{100'000'000, "0.1"},     Bound{250'000'000, "0.25"},
      Bound{500'000'000, "0.5"},   Bound{1'000'000'000, "1.0"},   Bound{2'500'000'000, "2.5"},
      Bound{5'000'000'000, "5.0"}, Bound{10'000'000'000, "10.0"}, Bound{30'000'000'000, "30.0"},
  };

  struct Figures {
    std::array<std::uint64_t, bounds.size() + 1> in_bucket{};  // each by itself; the last: beyond all bounds
    std::uint64_t total_ns = 0;

    std::uint64_t count() const {
      std::uint64_t all = 0;
      for (const auto each : in_bucket) all += each;
      return all;
    }
  };

  void add(std::chrono::nanoseconds took) {
    const auto ns = static_cast<std::uint64_t>(took.count() > 0 ? took.count() : 0);
    std::size_t bucket = 0;
    while (bucket < bounds.size() && ns > bounds[bucket].ns) ++bucket;
    in_bucket_[bucket].fetch_add(1, std::memory_order_relaxed);
    total_ns_.fetch_add(ns, std::memory_order_relaxed);
  }

  Figures figures() const {
    Figures out{.total_ns = total_ns_.load(std::memory_order_relaxed)};
    for (std::size_t i = 0; i < in_bucket_.size(); ++i)
      out.in_bucket[i] = in_bucket_[i].load(std::memory_order_relaxed);
    return out;
  }

 private:
  std::array<std::atomic<std::uint64_t>, bounds.size() + 1> in_bucket_{};
  std::atomic<std::uint64_t> total_ns_{0};
};

}  // namespace vireo
