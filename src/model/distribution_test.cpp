// Percentiles by nearest rank, on sets small and large.
#include "model/distribution.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace vireo::model {
namespace {

std::vector<std::int64_t> one_to(std::int64_t n) {
  std::vector<std::int64_t> values(static_cast<std::size_t>(n));
  std::iota(values.begin(), values.end(), 1);
  return values;
}

TEST(Distribution, PercentilesAreOfNearestRank) {
  EXPECT_EQ(percentile({15, 20, 35, 40, 50}, 5), 15);
  EXPECT_EQ(percentile({15, 20, 35, 40, 50}, 30), 20);
  EXPECT_EQ(percentile({15, 20, 35, 40, 50}, 40), 20);
  EXPECT_EQ(percentile({15, 20, 35, 40, 50}, 50), 35);
  EXPECT_EQ(percentile({15, 20, 35, 40, 50}, 100), 50);
  EXPECT_EQ(percentile(one_to(100), 99), 99);
  EXPECT_EQ(percentile(one_to(101), 99), 100);
  EXPECT_EQ(percentile(one_to(99), 99), 99);
  EXPECT_EQ(percentile(one_to(1000), 99), 990);
  EXPECT_EQ(percentile({7}, 1), 7);
}

TEST(Distribution, IsOfValuesInAnyOrder) {
  EXPECT_EQ(distribution_of({40, 10, 30, 21}),
            (Distribution{.count = 4, .mean = 25, .median = 21, .p99 = 40, .worst = 40, .total = 101}));
  EXPECT_EQ(distribution_of({3}), (Distribution{.count = 1, .mean = 3, .median = 3, .p99 = 3, .worst = 3, .total = 3}));
  EXPECT_EQ(distribution_of({}), Distribution{});
}

}  // namespace
}  // namespace vireo::model
