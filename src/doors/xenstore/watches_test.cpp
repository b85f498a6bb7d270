// Watches: who is told what, in which order, and how much may wait to be read.
#include "doors/xenstore/test_world.hpp"

namespace vireo::doors::xenstore::testing {
namespace {

using enum Operation;

class WatchRequests : public World {
 protected:
  Peer other_{common_, 0};
};

TEST_F(WatchRequests, TellAtOnceAndOfEveryChangeBelow) {
  EXPECT_EQ(zero_.ask(watch, "/a|tok|"), "OK|");
  EXPECT_EQ(zero_.events(), Lines{"/a|tok|"});
  other_.ask(write, "/a/b|1");
  other_.ask(write, "/ab|1");
  other_.ask(rm, "/a/b|");
  other_.ask(set_perms, "/a|r0|");
  EXPECT_EQ(zero_.events(), (Lines{"/a/b|tok|", "/a/b|tok|", "/a|tok|"}));
  EXPECT_EQ(zero_.ask(unwatch, "/a|tok|"), "OK|");
  other_.ask(write, "/a/b|2");
  EXPECT_EQ(zero_.events(), Lines{});
}

TEST_F(WatchRequests, TheReplyComesBeforeTheFirstEvent) {
  const auto bytes = frame(watch, bars_to_zeros("/a|t|"));
  zero_.client.take(bytes);
  std::vector<Message> all;
  split(zero_.client.output(), all);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_TRUE(all[0].is(watch));
  EXPECT_TRUE(all[1].is(watch_event));
}

TEST_F(WatchRequests, AnEventOfOnesOwnComesBeforeTheReply) {
  zero_.ask(watch, "/a|t|");
  zero_.events();
  zero_.client.take(frame(write, bars_to_zeros("/a|v")));
  std::vector<Message> all;
  split(zero_.client.output(), all);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_TRUE(all[0].is(watch_event));
  EXPECT_TRUE(all[1].is(write));
}

TEST_F(WatchRequests, OfARelativePathTellRelativePaths) {
  Peer one(common_, 1);
  zero_.ask(write, "/local/domain/1|");
  zero_.ask(set_perms, "/local/domain/1|n1|");
  EXPECT_EQ(one.ask(watch, "data|r|"), "OK|");
  EXPECT_EQ(one.ask(watch, "/local/domain/1/data|a|"), "OK|");
  EXPECT_EQ(one.ask(watch, "/local/domain/1/data|r|"), "!EEXIST");
  EXPECT_EQ(one.events(), (Lines{"data|r|", "/local/domain/1/data|a|"}));
  one.ask(write, "data/x|1");
  auto events = one.events();
  std::ranges::sort(events);
  EXPECT_EQ(events, (Lines{"/local/domain/1/data/x|a|", "data/x|r|"}));
  EXPECT_EQ(one.ask(unwatch, "data|r|"), "OK|");
  EXPECT_EQ(one.ask(watch, "/local/domain/1/data|r|"), "OK|");
  one.events();
  one.ask(write, "data/x|2");
  events = one.events();
  std::ranges::sort(events);
  EXPECT_EQ(events, (Lines{"/local/domain/1/data/x|a|", "/local/domain/1/data/x|r|"}));
}

TEST_F(WatchRequests, HearOfTheirOwnPathWhenSomethingAboveGoes) {
  zero_.ask(write, "/a/b/c|");
  zero_.ask(watch, "/a/b/c|t|");
  zero_.events();
  other_.ask(rm, "/a|");
  EXPECT_EQ(zero_.events(), Lines{"/a/b/c|t|"});
}

TEST_F(WatchRequests, MayEndAtADepth) {
  EXPECT_EQ(zero_.ask(watch, "/a|none|0|"), "OK|");
  EXPECT_EQ(zero_.ask(watch, "/a|one|1|"), "OK|");
  EXPECT_EQ(zero_.ask(watch, "/a|all||"), "OK|") << "an empty third string was reserved before there was a depth";
  zero_.events();
  other_.ask(write, "/a|");
  other_.ask(write, "/a/b|");
  other_.ask(write, "/a/b/c|");
  auto events = zero_.events();
  std::ranges::sort(events);
  EXPECT_EQ(events, (Lines{"/a/b/c|all|", "/a/b|all|", "/a/b|one|", "/a|all|", "/a|none|", "/a|one|"}));
}

TEST_F(WatchRequests, WhatCannotBe) {
  for (const char* payload : {"", "/a|", "/a|t", "/a/|t|", "/a b|t|", "/a|t|x|", "/a|t|-1|", "/a|t|1|1|",
                              "@releaseDomain|t|2|", "@a b|t|", "|t|"})
    EXPECT_EQ(zero_.ask(watch, payload), "!EINVAL") << payload;
  EXPECT_EQ(zero_.ask(watch, "/a|t|"), "OK|");
  EXPECT_EQ(zero_.ask(watch, "/a|t|"), "!EEXIST");
  EXPECT_EQ(zero_.ask(watch, "/a|u|"), "OK|");
  EXPECT_EQ(zero_.ask(unwatch, "/a|v|"), "!ENOENT");
  EXPECT_EQ(other_.ask(unwatch, "/a|t|"), "!ENOENT") << "another's watch is not one's own";
  EXPECT_EQ(zero_.ask(unwatch, "/a|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(unwatch, "/a/|t|"), "!EINVAL");
}

TEST_F(WatchRequests, DoNotCareForTransactions) {
  EXPECT_EQ(zero_.ask(watch, "/a|t|", 77), "OK|");
  EXPECT_EQ(zero_.ask(unwatch, "/a|t|", 77), "OK|");
}

TEST_F(WatchRequests, OfTransactionsTellWhenTheyEndInOrder) {
  zero_.ask(watch, "/|t|");
  zero_.events();
  const auto t = other_.begin();
  other_.ask(write, "/b|1", t);
  other_.ask(write, "/a|1", t);
  other_.ask(write, "/b|2", t);
  EXPECT_EQ(zero_.events(), Lines{});
  other_.ask(transaction_end, "T|", t);
  EXPECT_EQ(zero_.events(), (Lines{"/b|t|", "/a|t|"}));
}

TEST_F(WatchRequests, TellADomainOnlyWhatItMayRead) {
  Peer one(common_, 1);
  zero_.ask(write, "/secret/x|");
  zero_.ask(set_perms, "/secret|n0|");
  zero_.ask(set_perms, "/secret/x|n0|");
  one.ask(watch, "/secret|t|");
  EXPECT_EQ(one.events(), Lines{"/secret|t|"}) << "the first one tells nothing";
  zero_.ask(write, "/secret/x|1");
  zero_.ask(rm, "/secret/x|");
  EXPECT_EQ(one.events(), Lines{});
  zero_.ask(write, "/secret/y|1");
  zero_.ask(set_perms, "/secret/y|n0|r1|");
  zero_.ask(write, "/secret/y|2");
  zero_.ask(rm, "/secret/y|");
  EXPECT_EQ(one.events(), (Lines{"/secret/y|t|", "/secret/y|t|", "/secret/y|t|"}))
      << "its permissions, its value, its end";
}

TEST_F(WatchRequests, EndWithTheirConnectionAndWhenItIsReset) {
  {
    Peer gone(common_, 0);
    gone.ask(watch, "/a|t|");
    EXPECT_EQ(common_.watches.size(), 1u);
  }
  EXPECT_EQ(common_.watches.size(), 0u);
  zero_.ask(watch, "/a|t|");
  zero_.ask(watch, "a|r|");
  zero_.events();
  EXPECT_EQ(zero_.ask(reset_watches, "|"), "OK|");
  EXPECT_EQ(common_.watches.size(), 0u);
  EXPECT_EQ(common_.counters.watches.value(), 0u);
  other_.ask(write, "/a|");
  EXPECT_EQ(zero_.events(), Lines{});
  EXPECT_EQ(zero_.ask(watch, "/a|t|"), "OK|");
}

TEST_F(WatchRequests, AreBounded) {
  Peer one(common_, 1);
  const auto& limits = store_.quotas().of(1);
  for (std::uint32_t i = 0; i <= limits.watches; ++i) EXPECT_EQ(one.ask(watch, fmt::format("/w{}|t|", i)), "OK|");
  EXPECT_EQ(one.ask(watch, "/more|t|"), "!E2BIG");
  EXPECT_EQ(one.ask(unwatch, "/w0|t|"), "OK|");
  EXPECT_EQ(one.ask(watch, "/more|t|"), "OK|");
  *store_.quotas().find(2, "memory") = 2000;
  Peer two(common_, 2);
  EXPECT_EQ(two.ask(watch, "/w|" + std::string(1000, 't') + "|"), "OK|");
  EXPECT_EQ(two.ask(watch, "/x|" + std::string(1000, 't') + "|"), "!ENOMEM");
}

TEST_F(WatchRequests, TheSameEventDoesNotWaitTwice) {
  zero_.ask(watch, "/a|t|");
  zero_.events();
  other_.ask(write, "/a|0");
  zero_.client.sent(0);  // it does not read
  for (int i = 0; i < 1000; ++i) {
    other_.ask(write, "/a|1");
    other_.ask(write, "/a/b|1");
  }
  EXPECT_EQ(zero_.events(), (Lines{"/a|t|", "/a|t|", "/a/b|t|"}));
  EXPECT_EQ(common_.counters.events_merged.value(), 1998u);
  other_.ask(write, "/a|2");
  EXPECT_EQ(zero_.events(), Lines{"/a|t|"}) << "it has read the others";
}

TEST_F(WatchRequests, WhatWasSentInPartIsNotForgotten) {
  zero_.ask(watch, "/|t|");
  zero_.events();
  std::string stream;
  // Always so many bytes at once, whatever is behind them.
  const auto send = [&](std::size_t bytes) {
    stream += zero_.client.output().substr(0, bytes);
    zero_.client.sent(std::min(bytes, zero_.client.output().size()));
  };
  for (int i = 0; i < 500; ++i) {
    other_.ask(write, fmt::format("/{}|", i % 50));
    send(static_cast<std::size_t>(i) % 23);
  }
  send(zero_.client.output().size());
  EXPECT_EQ(zero_.client.outstanding(), 0u);
  std::vector<Message> all;
  EXPECT_EQ(split(stream, all), stream.size());
  std::set<std::string> seen;
  for (const auto& message : all) seen.insert(message.payload);
  EXPECT_EQ(seen.size(), 50u);
}

TEST_F(WatchRequests, WhoDoesNotReadIsDroppedInTheEnd) {
  Peer one(common_, 1);
  one.ask(watch, "/|t|");
  one.events();
  const auto most = store_.quotas().of(1).outstanding;
  for (std::uint32_t i = 0; i < most; ++i) {
    zero_.ask(write, fmt::format("/{}|", i));
    one.client.sent(0);
  }
  EXPECT_EQ(one.client.over(), Client::Over::no);
  zero_.ask(write, "/more|");
  EXPECT_EQ(one.client.over(), Client::Over::does_not_read);
  const auto held = one.client.held();
  zero_.ask(write, "/and-more|");
  EXPECT_EQ(one.client.held(), held);
}

TEST(WatchLimits, AllClientsTogetherHoldNoMoreThanTheDoorMay) {
  tree::Store store;
  Common common(store, {}, {.pause_bytes = 5'000, .held_bytes = 100'000});
  store.listen([&](const tree::Commit& commit) { common.announcements.of(commit); });
  Peer writer(common, 0);
  std::vector<std::unique_ptr<Peer>> sleepers;
  for (int i = 0; i < 10; ++i) {
    sleepers.push_back(std::make_unique<Peer>(common, 0));
    sleepers.back()->ask(Operation::watch, "/|t|");
    sleepers.back()->events();
  }
  for (int i = 0; i < 2000; ++i) {
    writer.ask(Operation::write, fmt::format("/{}|", i));
    for (auto& sleeper : sleepers) sleeper->client.sent(0);
  }
  EXPECT_LT(common.counters.held_bytes.value(), 200'000u);
  EXPECT_TRUE(std::ranges::any_of(sleepers, [](const auto& one) { return one->client.over() != Client::Over::no; }));
  EXPECT_EQ(writer.client.over(), Client::Over::no);
}

}  // namespace
}  // namespace vireo::doors::xenstore::testing
