// The stream of bytes: cut anywhere, too long, unknown, or never read.
#include "doors/xenstore/test_world.hpp"

#include <cerrno>

namespace vireo::doors::xenstore::testing {
namespace {

using enum Operation;

class Stream : public World {};

TEST(Wire, NamesErrorsAsTheProtocolKnowsThem) {
  EXPECT_EQ(error_name(ENOENT), "ENOENT");
  EXPECT_EQ(error_name(EPERM), "EPERM");
  EXPECT_EQ(error_name(EROFS), "EROFS");
  EXPECT_EQ(error_name(EBADF), "EINVAL");
  EXPECT_EQ(operation_name(2), "READ");
  EXPECT_EQ(operation_name(26), "SET_QUOTA");
  EXPECT_EQ(operation_name(99), "?");
}

TEST_F(Stream, MayBeCutAnywhere) {
  const std::string bytes = frame(write, bars_to_zeros("/a|value"), 0, 1) + frame(read, bars_to_zeros("/a|"), 0, 2) +
                            frame(directory, bars_to_zeros("/|"), 0, 3) + frame(99, "", 0, 4);
  std::string whole;
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    tree::Store store;
    Common common(store, {}, {});
    Client client(common, 0);
    std::string input;
    for (const auto& piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
      input += piece;
      input.erase(0, client.take(input));
    }
    EXPECT_TRUE(input.empty()) << cut;
    if (cut == 0) whole = client.output();
    EXPECT_EQ(client.output(), whole) << cut;
  }
  std::vector<Message> all;
  EXPECT_EQ(split(whole, all), whole.size());
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[1].payload, "value");
  EXPECT_EQ(zeros_to_bars(all[3].payload), "ENOSYS|");
}

TEST_F(Stream, WhatNobodyMayAskForIsUnknown) {
  for (const std::uint32_t type : {15u, 16u, 20u, 27u, 0xffffu, 0xffffffffu})
    EXPECT_EQ(zero_.ask(type, "/|"), "!ENOSYS") << type;
}

TEST_F(Stream, EndsWithAMessageThatIsTooLong) {
  EXPECT_EQ(zero_.ask(write, "/a|" + std::string(max_payload - 3, 'v')), "OK|");
  auto bytes = frame(read, bars_to_zeros("/a|")) + frame(write, std::string(max_payload + 1, 'v')) +
               frame(read, bars_to_zeros("/a|"));
  const auto taken = zero_.client.take(bytes);
  EXPECT_EQ(zero_.client.over(), Client::Over::sent_too_long);
  EXPECT_EQ(taken, 16u + 3u);
  EXPECT_EQ(zero_.receive().size(), 1u) << "what came before is answered";
  EXPECT_EQ(zero_.client.take(bytes), 0u);
}

TEST_F(Stream, OneTurnTakesSoManyRequests) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += frame(read, bars_to_zeros("/|"));
  const auto turn = common_.limits.requests_per_turn;
  EXPECT_EQ(zero_.client.take(bytes), turn * 18);
  EXPECT_TRUE(zero_.client.would_take(bytes));
  EXPECT_FALSE(zero_.client.would_take(bytes.substr(0, 17)));
}

TEST_F(Stream, ATurnEndsWithSoManyEvents) {
  Peer watcher(common_, 0);
  for (int i = 0; i < 10; ++i) watcher.ask(watch, fmt::format("/|t{}|", i));
  std::string bytes;
  for (int i = 0; i < 50; ++i) bytes += frame(write, bars_to_zeros("/a|"));
  const auto one = bytes.size() / 50, most = common_.limits.events_at_once / 10 + 1;
  EXPECT_EQ(zero_.client.take(bytes), most * one);
}

TEST_F(Stream, WhatConcernsManyIsToldThemAPartAtATimeAndInOrder) {
  Peer watcher(common_, 0), late(common_, 0), domain(common_, 3);
  const auto many = 3 * common_.limits.events_at_once;
  for (std::size_t i = 0; i < many; ++i) watcher.ask(watch, fmt::format("/|t{}|", i));
  domain.ask(watch, "/|d|");
  late.ask(watch, "@introduceDomain|in|");
  watcher.events(), domain.events(), late.events();
  std::string bytes;
  for (const auto* path : {"/a|", "/b|"}) bytes += frame(write, bars_to_zeros(path));
  const auto one = bytes.size() / 2;
  EXPECT_EQ(zero_.client.take(bytes), one) << "a turn ends with what concerns many";
  EXPECT_EQ(common_.announcements.waiting(), 1u);
  EXPECT_EQ(common_.announcements.told() + 1, common_.announcements.made());
  EXPECT_LE(watcher.events().size(), common_.limits.events_at_once);
  EXPECT_EQ(domain.events(), (Lines{"/a|d|"})) << "as long as it can be asked what the domain may read";
  // What comes now is told to those who watch now, and after what came before.
  EXPECT_EQ(zero_.client.take(bytes.substr(one)), one);
  EXPECT_EQ(late.ask(watch, "/|t|"), "OK|");
  EXPECT_EQ(watcher.ask(unwatch, fmt::format("/|t{}|", many - 1)), "OK|");
  common_.introduce(4);
  EXPECT_EQ(late.events(), (Lines{"/|t|"})) << "the first event of the watch, and no other";
  EXPECT_EQ(common_.announcements.waiting(), 3u);
  Lines told;
  while (common_.announcements.waiting()) {
    common_.announcements.go_on();
    const auto part = watcher.events();
    EXPECT_LE(part.size(), common_.limits.events_at_once);
    told.insert(told.end(), part.begin(), part.end());
  }
  const auto first_of_b = std::ranges::find_if(told, [](const auto& event) { return event.starts_with("/b"); });
  EXPECT_TRUE(std::all_of(first_of_b, told.end(), [](const auto& event) { return event.starts_with("/b"); }));
  EXPECT_EQ(told.end() - first_of_b, static_cast<std::ptrdiff_t>(many - 1));
  EXPECT_EQ(told.back(), fmt::format("/b|t{}|", many - 2));
  EXPECT_EQ(late.events(), (Lines{"@introduceDomain|in|"}));
  EXPECT_EQ(common_.announcements.told(), common_.announcements.made());
}

TEST_F(Stream, WhoDoesNotReadIsNotRead) {
  zero_.ask(write, "/a|" + std::string(4000, 'v'));
  const auto request = frame(read, bars_to_zeros("/a|"));
  int answered = 0;
  while (answered < 100'000 && zero_.client.take(request) > 0) ++answered;
  EXPECT_LT(answered, 100'000);
  EXPECT_TRUE(zero_.client.paused());
  EXPECT_FALSE(zero_.client.would_take(request));
  EXPECT_LT(zero_.client.output().size(), common_.limits.pause_bytes + 2 * max_payload);
  EXPECT_EQ(zero_.receive().size(), static_cast<std::size_t>(answered));
  EXPECT_GT(zero_.client.take(request), 0u);
  EXPECT_EQ(zero_.client.over(), Client::Over::no);
}

TEST_F(Stream, CountsWhatHappens) {
  zero_.ask(read, "/nowhere|");
  zero_.ask(read, "");
  EXPECT_EQ(common_.counters.requests.value(), 2u);
  EXPECT_EQ(common_.counters.errors.value(), 1u);
  EXPECT_EQ(common_.counters.clients.value(), 1u);
  EXPECT_EQ(common_.counters.held_bytes.value(), 0u);
}

}  // namespace
}  // namespace vireo::doors::xenstore::testing
