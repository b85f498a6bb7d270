// The one source of chance in a history: the same seed throws the same numbers on every machine (SplitMix64).
#pragma once

#include <chrono>
#include <cstdint>

namespace vireo::tests {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }
  // One of 0 … count - 1.
  int below(int count) { return static_cast<int>(next() % static_cast<std::uint64_t>(count)); }
  bool one_in(int count) { return below(count) == 0; }
  // Mostly short, now and then up to 30 times as long: where orders are decided.
  std::chrono::microseconds span(int usual_us) {
    return std::chrono::microseconds(1 + below(usual_us) * (one_in(8) ? 30 : 1));
  }

 private:
  std::uint64_t state_;
};

}  // namespace vireo::tests
