// Only the same file is waited for, in the order of asking, and not for ever.
#include "security/file_turns.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace vireo::security {
namespace {

// Since the last reset.
std::uint64_t waits_at_files() {
  std::uint64_t count = 0;
  for (const auto& row : WaitReport::take())
    if (row.kind == "file") count += row.count;
  return count;
}

using namespace std::chrono_literals;

TEST(FileTurns, AnotherFileIsNotWaitedFor) {
  WaitReport::reset();
  FileTurns turns;
  auto one = turns.take(1, 7, "one", Deadline::in(10ms));
  auto other_inode = turns.take(1, 8, "other", Deadline::in(10ms));
  auto other_device = turns.take(2, 7, "other", Deadline::in(10ms));
  EXPECT_TRUE(one && other_inode && other_device);
  EXPECT_EQ(turns.files(), 3U);
  EXPECT_EQ(waits_at_files(), 0U);
}

TEST(FileTurns, NothingIsKeptOfFilesThatNobodyUses) {
  FileTurns turns;
  {
    auto turn = turns.take(1, 7, "one", Deadline::in(10ms));
  }
  EXPECT_EQ(turns.files(), 0U);
}

TEST(FileTurns, WhoWaitsTooLongIsToldTheFileAndLeavesTheQueue) {
  WaitReport::reset();
  FileTurns turns;
  auto first = turns.take(1, 7, "/images/one", Deadline::in(1s));
  ASSERT_TRUE(first);
  const auto late = turns.take(1, 7, "/images/one", Deadline::in(20ms));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, VIR_ERR_OPERATION_TIMEOUT);
  EXPECT_TRUE(late.error().message().contains("'/images/one'"));
  EXPECT_EQ(waits_at_files(), 1U);
  {
    auto gone = std::move(*first);
  }
  EXPECT_TRUE(turns.take(1, 7, "/images/one", Deadline::in(20ms)));
}

TEST(FileTurns, OneAtATimeInTheOrderOfAsking) {
  FileTurns turns;
  std::vector<int> order;
  std::atomic<int> inside = 0;
  std::vector<std::jthread> threads;
  {
    auto first = turns.take(1, 7, "one", Deadline::in(60s));
    ASSERT_TRUE(first);
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        auto turn = turns.take(1, 7, "one", Deadline::in(60s));
        ASSERT_TRUE(turn);
        EXPECT_EQ(++inside, 1);
        order.push_back(i);
        --inside;
      });
      // It stands in the queue before the next one asks: the first, who has the turn, and those behind it.
      while (turns.asking(1, 7) < static_cast<std::size_t>(i) + 2) std::this_thread::sleep_for(1ms);
    }
  }
  threads.clear();
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(turns.files(), 0U);
}

}  // namespace
}  // namespace vireo::security
