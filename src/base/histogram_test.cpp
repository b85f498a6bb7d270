// Buckets and their edges.
#include "base/histogram.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace vireo {
namespace {

using std::chrono::nanoseconds;

TEST(Histogram, ATimeIsInTheFirstBucketThatHoldsIt) {
  Histogram histogram;
  histogram.add(nanoseconds(-5));
  histogram.add(nanoseconds(0));
  histogram.add(nanoseconds(50'000));
  histogram.add(nanoseconds(50'001));
  histogram.add(std::chrono::seconds(30));
  histogram.add(std::chrono::hours(1));
  const auto figures = histogram.figures();
  EXPECT_EQ(figures.in_bucket[0], 3U);
  EXPECT_EQ(figures.in_bucket[1], 1U);
  EXPECT_EQ(figures.in_bucket[Histogram::bounds.size() - 1], 1U);
  EXPECT_EQ(figures.in_bucket.back(), 1U);
  EXPECT_EQ(figures.count(), 6U);
  EXPECT_EQ(figures.total_ns, 50'000U + 50'001U + 3'630'000'000'000U);
}

TEST(Histogram, BoundsGrowAndArePrintedAsTheyAre) {
  std::uint64_t last = 0;
  for (const auto& bound : Histogram::bounds) {
    EXPECT_GT(bound.ns, last);
    last = bound.ns;
    EXPECT_DOUBLE_EQ(std::strtod(std::string(bound.seconds).c_str(), nullptr), static_cast<double>(bound.ns) / 1e9);
  }
}

}  // namespace
}  // namespace vireo
