// Transactions of several clients, one after the other and at the same time.
#include "doors/xenstore/test_world.hpp"

namespace vireo::doors::xenstore::testing {
namespace {

using enum Operation;

class Transactions : public World {
 protected:
  Peer other_{common_, 0};
};

TEST_F(Transactions, AreSeenWhenTheyEndAndNotBefore) {
  zero_.ask(write, "/a|old");
  const auto t = zero_.begin();
  EXPECT_EQ(zero_.ask(write, "/a|new", t), "OK|");
  EXPECT_EQ(zero_.ask(read, "/a|", t), "new");
  EXPECT_EQ(zero_.ask(read, "/a|"), "old");
  EXPECT_EQ(other_.ask(read, "/a|"), "old");
  EXPECT_EQ(zero_.ask(transaction_end, "T|", t), "OK|");
  EXPECT_EQ(other_.ask(read, "/a|"), "new");
}

TEST_F(Transactions, LeaveNothingWhenTheyAreGivenUp) {
  zero_.ask(watch, "/|t|");
  zero_.events();
  const auto t = zero_.begin();
  zero_.ask(write, "/b|x", t);
  EXPECT_EQ(zero_.ask(transaction_end, "F|", t), "OK|");
  EXPECT_EQ(zero_.ask(read, "/b|"), "!ENOENT");
  EXPECT_EQ(zero_.events(), Lines{});
  EXPECT_EQ(zero_.ask(read, "/b|", t), "!ENOENT") << "the transaction has gone, too";
}

TEST_F(Transactions, ReadTheSameAgain) {
  zero_.ask(write, "/a|1");
  const auto t = zero_.begin();
  EXPECT_EQ(zero_.ask(read, "/a|", t), "1");
  other_.ask(write, "/a|2");
  other_.ask(write, "/new|");
  EXPECT_EQ(zero_.ask(read, "/a|", t), "1");
  EXPECT_EQ(zero_.ask(read, "/new|", t), "!ENOENT");
  EXPECT_EQ(zero_.ask(transaction_end, "T|", t), "OK|") << "it only read";
}

TEST_F(Transactions, AreRefusedWhenWhatTheyReadHasChanged) {
  zero_.ask(write, "/a|1");
  const auto t = zero_.begin();
  zero_.ask(read, "/a|", t);
  zero_.ask(write, "/b|x", t);
  other_.ask(write, "/a|2");
  EXPECT_EQ(zero_.ask(transaction_end, "T|", t), "!EAGAIN");
  EXPECT_EQ(zero_.ask(read, "/b|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(transaction_end, "T|", t), "!ENOENT") << "it has ended";
  EXPECT_EQ(common_.counters.conflicts.value(), 1u);
}

TEST_F(Transactions, OfSiblingsDoNotDisturbEachOther) {
  zero_.ask(mkdir, "/p|");
  const auto mine = zero_.begin(), others = other_.begin();
  zero_.ask(write, "/p/x|", mine);
  other_.ask(write, "/p/y|", others);
  EXPECT_EQ(zero_.ask(transaction_end, "T|", mine), "OK|");
  EXPECT_EQ(other_.ask(transaction_end, "T|", others), "OK|");
}

TEST_F(Transactions, AreNamedByTheirConnection) {
  const auto t = zero_.begin();
  EXPECT_EQ(other_.ask(read, "/|", t), "!ENOENT");
  EXPECT_EQ(other_.begin(), t) << "each counts for itself";
  EXPECT_NE(zero_.begin(), t);
  zero_.ask(transaction_end, "F|", t);
  EXPECT_NE(zero_.begin(), t) << "an id does not come back soon";
}

TEST_F(Transactions, WhatCannotBe) {
  EXPECT_EQ(zero_.ask(transaction_end, "T|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(transaction_start, "|", 77), "!ENOENT");
  EXPECT_EQ(zero_.ask(read, "/|", 77), "!ENOENT");
  EXPECT_EQ(zero_.ask(control, "help|", 77), "!ENOENT");
  const auto t = zero_.begin();
  EXPECT_EQ(zero_.ask(transaction_start, "|", t), "!EBUSY");
  for (const char* end : {"", "T", "X|", "T|T|", "|"}) EXPECT_EQ(zero_.ask(transaction_end, end, t), "!EINVAL") << end;
  EXPECT_EQ(zero_.ask(transaction_end, "T|", t), "OK|") << "until then it was open";
}

TEST_F(Transactions, EndWithTheirConnectionAndWhenItIsReset) {
  {
    Peer gone(common_, 0);
    gone.begin();
    EXPECT_EQ(store_.open_transactions(), 1u);
  }
  EXPECT_EQ(store_.open_transactions(), 0u);
  const auto t = zero_.begin();
  EXPECT_EQ(zero_.ask(reset_watches, "|", t), "OK|");
  EXPECT_EQ(store_.open_transactions(), 0u);
  EXPECT_EQ(common_.counters.transactions.value(), 0u);
}

TEST_F(Transactions, AreBoundedInNumberAndSize) {
  Peer one(common_, 1);
  const auto& limits = store_.quotas().of(1);
  for (std::uint32_t i = 0; i <= limits.transactions; ++i) EXPECT_NE(one.begin(), 0u);
  EXPECT_EQ(one.ask(transaction_start, "|"), "!ENOSPC");
  EXPECT_EQ(one.ask(transaction_end, "F|", 1), "OK|");
  const auto t = one.begin();
  EXPECT_NE(t, 0u);
  std::uint32_t touched = 0;
  while (touched < 5000 && one.ask(read, fmt::format("/x{}|", touched), t) == "!ENOENT") ++touched;
  EXPECT_GE(touched, limits.transaction_nodes - 1);
  EXPECT_LE(touched, limits.transaction_nodes + 1);
}

TEST_F(Transactions, AllTogetherHoldNoMoreThanTheirConnectionMay) {
  *store_.quotas().find(1, "memory") = 40'000;
  Peer one(common_, 1);
  int taken = 0;
  for (int i = 0; i < 10; ++i) {
    const auto t = one.begin();
    if (t == 0) break;
    for (int k = 0; k < 100; ++k) {
      if (one.ask(read, fmt::format("/x{}|", k), t) != "!ENOENT") break;
      ++taken;
    }
  }
  EXPECT_GT(taken, 20);
  EXPECT_LT(taken, 900);
  EXPECT_LT(one.client.held(), 45'000u);
  one.ask(reset_watches, "|");
  EXPECT_LT(one.client.held(), 1'000u);
  EXPECT_NE(one.begin(), 0u);
}

}  // namespace
}  // namespace vireo::doors::xenstore::testing
