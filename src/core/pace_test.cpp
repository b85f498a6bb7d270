// How many launches a host bears: calm, with slow disks, and without memory.
#include "core/pace.hpp"

#include <gtest/gtest.h>

namespace vireo::core {
namespace {

constexpr ports::HostLoad calm{
    .processors = 16, .memory_stall = 0, .disk_stall = 5, .memory_kib = 1'000'000, .available_kib = 500'000};

TEST(Pace, GrowsOneByOneToWhatTheProcessorsCanServe) {
  EXPECT_EQ(most_launches(1), 4U);
  EXPECT_EQ(most_launches(16), 32U);
  EXPECT_EQ(next_limit(1, calm), 2U);
  EXPECT_EQ(next_limit(31, calm), 32U);
  EXPECT_EQ(next_limit(32, calm), 32U);
  EXPECT_EQ(next_limit(64, calm), 32U) << "fewer processors than before";
}

TEST(Pace, IsHalvedWhileDisksKeepEverybodyWaiting) {
  auto load = calm;
  load.disk_stall = 75;
  EXPECT_EQ(next_limit(32, load), 16U);
  EXPECT_EQ(next_limit(1, load), 1U);
}

TEST(Pace, IsOneAtATimeWhenMemoryRunsOut) {
  auto load = calm;
  load.memory_stall = 11;
  EXPECT_EQ(next_limit(32, load), 1U);
  load = calm;
  load.available_kib = 20'000;
  EXPECT_EQ(next_limit(32, load), 1U);
}

TEST(Pace, AHostThatTellsNothingIsCalm) { EXPECT_EQ(next_limit(3, {}), 4U); }

}  // namespace
}  // namespace vireo::core
