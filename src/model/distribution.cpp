// Sorting and picking.
#include "model/distribution.hpp"

#include <algorithm>
#include <numeric>

namespace vireo::model {

std::int64_t percentile(const std::vector<std::int64_t>& sorted, unsigned percent) {
  const std::size_t rank = (sorted.size() * percent + 99) / 100;  // from 1, rounded up
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

Distribution distribution_of(std::vector<std::int64_t> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  const auto total = std::accumulate(values.begin(), values.end(), std::int64_t{0});
  return {.count = values.size(),
          .mean = total / static_cast<std::int64_t>(values.size()),
          .median = percentile(values, 50),
          .p99 = percentile(values, 99),
          .worst = values.back(),
          .total = total};
}

}  // namespace vireo::model
