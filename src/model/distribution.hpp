// What a set of durations looks like, in the few figures that people compare. Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace vireo::model {

struct Distribution {
  std::size_t count = 0;
  // In the unit of the values. The mean is rounded down; the others are values of the set, by nearest rank.
  std::int64_t mean = 0, median = 0, p99 = 0, worst = 0;
  std::int64_t total = 0;  // the sum
  bool operator==(const Distribution&) const = default;
};

// The value of nearest rank: the smallest of the set that is not less than `percent` of its values, so the worst of
// fewer than 100 is also their 99th percentile. `sorted` ascends and is not empty; percent is 1 to 100.
std::int64_t percentile(const std::vector<std::int64_t>& sorted, unsigned percent);

// All zero for no values.
Distribution distribution_of(std::vector<std::int64_t> values);

}  // namespace vireo::model
