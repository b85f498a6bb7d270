// Every limit is reached once, does what it says, and is counted.
#include <future>
#include <set>

#include "doors/libvirt/test_door.hpp"

namespace vireo::doors::libvirt::testing {
namespace {

using enum proc::Remote;
using std::chrono::milliseconds;

class LimitsTest : public DoorTest {
 protected:
  const Counters& counters() const { return common_->counters; }
  // Nothing of what sessions held is left on the account once they are over.
  void expect_nothing_held() {
    for (int i = 0; i < 1000 && common_->held.total() != 0; ++i) std::this_thread::sleep_for(milliseconds(5));
    EXPECT_EQ(common_->held.total(), 0u);
    EXPECT_EQ(common_->clients, 0u);
  }
  // For limits so narrow that a client may be too late with its greeting: then another one comes.
  Client greeted_in_time() {
    for (;;) {
      auto client = connect();
      client.send_call(auth_list);
      wire::remote_connect_open_args open;
      open.name = "test:///default";
      client.send_call(connect_open, open);
      if (client.receive() && client.receive()) return client;
    }
  }
  static wire::remote_domain_get_xml_desc_args large_reply(int bytes) {
    wire::remote_domain_get_xml_desc_args args;
    args.dom.id = bytes;
    return args;
  }
};

TEST_F(LimitsTest, TooManyEvents) {
  limits_.events_queued = 50;
  auto client = connect_and_greet();
  for (int i = 0; i < 5000 && counters().clients_dropped_events.value() == 0; ++i) {
    sessions_.back()->send_event(proc::remote_program, static_cast<int>(domain_event_lifecycle), Bytes(200));
    if (i % 20 == 0) std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(counters().clients_dropped_events.value(), 1u);
  EXPECT_GE(counters().events.value(), 50u);
  expect_nothing_held();
}

TEST_F(LimitsTest, ABusyThreadHidesNoFlood) {
  limits_.events_queued = 50;
  auto client = connect_and_greet();
  std::promise<void> go;
  asio::post(door_.executor(), [wait = go.get_future().share()] { wait.wait(); });
  for (int i = 0; i < 60; ++i)
    sessions_.back()->send_event(proc::remote_program, static_cast<int>(domain_event_lifecycle), Bytes(200));
  go.set_value();
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(counters().clients_dropped_events.value(), 1u);
  expect_nothing_held();
}

TEST_F(LimitsTest, AClientThatNeverOpens) {
  limits_.progress_timeout = milliseconds(60);
  auto client = connect();
  client.send_call(auth_list);
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(counters().clients_dropped_silent.value(), 1u);
  expect_nothing_held();
}

TEST_F(LimitsTest, HalfAMessageButNotSilence) {
  limits_.progress_timeout = milliseconds(60);
  auto idle = greeted_in_time();
  auto client = greeted_in_time();
  const auto before = counters().clients_dropped_silent.value();
  const auto frame = make_frame(Client::header_of(connect_get_uri, 7), Bytes(100));
  client.send_bytes(std::span(frame).first(40));
  EXPECT_TRUE(client.ends());
  EXPECT_TRUE(idle.quiet(150));
  EXPECT_EQ(counters().clients_dropped_silent.value(), before + 1);
}

TEST_F(LimitsTest, RepliesThatNobodyReads) {
  limits_.progress_timeout = milliseconds(100);
  limits_.write_pause_bytes = 100'000;
  auto client = greeted_in_time();
  for (int i = 0; i < 5; ++i) client.send_call(domain_get_xml_desc, large_reply(1'000'000));
  EXPECT_TRUE(story_.has("session over"));
  EXPECT_EQ(counters().clients_dropped_not_reading.value(), 1u);
  EXPECT_EQ(counters().pauses_unsent.value(), 1u);
  expect_nothing_held();
}

TEST_F(LimitsTest, AllTogetherHoldTooMuch) {
  limits_.held_bytes = 4 << 20;
  auto modest = connect_and_greet();
  auto greedy = connect_and_greet();
  const auto frame = make_frame(Client::header_of(connect_get_uri, 7), Bytes(16 << 20));
  greedy.send_bytes(std::span(frame).first(12 << 20));
  EXPECT_TRUE(greedy.ends());
  EXPECT_EQ(counters().clients_dropped_memory.value(), 1u);
  EXPECT_EQ(modest.call(domain_get_xml_desc, large_reply(10)).header.status, Status::ok);
  modest.leave();
  expect_nothing_held();
}

TEST_F(LimitsTest, ArgumentsOfCallsInFlight) {
  limits_.call_bytes = 1000;
  auto client = connect_and_greet();
  client.send_call(domain_suspend, on<wire::remote_domain_suspend_args>(std::string(2000, 'a')));
  client.send_call(domain_suspend, on<wire::remote_domain_suspend_args>("b"));
  ASSERT_TRUE(story_.has("holding " + std::string(2000, 'a')));
  for (int i = 0; i < 2000 && counters().pauses_calls.value() == 0; ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(counters().pauses_calls.value(), 1u);
  EXPECT_TRUE(client.quiet(100));
  EXPECT_EQ(story_.count("holding b"), 0);
  client.leave();
  EXPECT_TRUE(story_.has("session over"));
  EXPECT_EQ(counters().calls_cancelled.value(), 1u);
}

TEST_F(LimitsTest, Streams) {
  limits_.streams = 1;
  auto client = connect_and_greet();
  EXPECT_EQ(client.call(domain_open_console, wire::remote_domain_open_console_args{}).header.status, Status::ok);
  EXPECT_EQ(client.call(domain_open_console, wire::remote_domain_open_console_args{}).error().code, VIR_ERR_RPC);
  EXPECT_EQ(counters().streams_refused.value(), 1u);
}

TEST_F(LimitsTest, RefusedCallsAreCountedByReason) {
  auto client = connect();
  client.call(connect_get_version);
  client.call(auth_list);
  client.call(connect_get_version);
  client.greet();
  client.send({.program = 7, .version = 1});
  client.receive();
  client.call(node_device_dettach, wire::remote_node_device_dettach_args{.name = "x"});
  client.send(Client::header_of(domain_lookup_by_name, 3), Bytes(2));
  client.receive();
  gate_->close();
  client.call(domain_resume, on<wire::remote_domain_resume_args>("web"));
  auto reader = connect_and_greet(true);
  reader.call(domain_destroy, on<wire::remote_domain_destroy_args>("web"));
  EXPECT_EQ(counters().calls_refused_unauthenticated.value(), 1u);
  EXPECT_EQ(counters().calls_refused_unopened.value(), 1u);
  EXPECT_EQ(counters().calls_refused_unknown.value(), 1u);
  EXPECT_EQ(counters().calls_refused_unsupported.value(), 1u);
  EXPECT_EQ(counters().calls_refused_payload.value(), 1u);
  EXPECT_EQ(counters().calls_refused_closing.value(), 1u);
  EXPECT_EQ(counters().calls_refused_read_only.value(), 1u);
}

TEST_F(LimitsTest, BrokenFramesAreCountedByReason) {
  for (const std::uint32_t length : {4u, static_cast<std::uint32_t>(frame_max + 1)}) {
    auto client = connect_and_greet();
    const std::uint32_t big = __builtin_bswap32(length);
    client.send_bytes(std::as_bytes(std::span(&big, 1)));
    EXPECT_TRUE(client.ends());
  }
  EXPECT_EQ(counters().clients_dropped_bad_frame.value(), 1u);
  EXPECT_EQ(counters().clients_dropped_oversize.value(), 1u);
}

TEST_F(LimitsTest, ASilentClientThatWantedPings) {
  limits_.keepalive_interval = milliseconds(20);
  limits_.keepalive_count = 2;
  auto client = connect_and_greet();
  client.call(connect_supports_feature, wire::remote_connect_supports_feature_args{.feature = 10});
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(counters().clients_dropped_keepalive.value(), 1u);
}

TEST(Counters, EachHasANameOfItsOwn) {
  Counters counters;
  counters.calls.add();
  std::set<std::string_view> names;
  for (const auto& [name, value] : counters.read()) {
    EXPECT_EQ(value, name == "calls" ? 1u : 0u) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(names.size(), sizeof(Counters) / sizeof(Counter));
}

TEST(LogLimit, OneLineInTenSecondsAndHowManyWereLeftOut) {
  LogLimit limit;
  const auto now = SteadyClock::now();
  EXPECT_EQ(limit.turn(now), "");
  EXPECT_FALSE(limit.turn(now + std::chrono::seconds(1)));
  EXPECT_FALSE(limit.turn(now + std::chrono::seconds(9)));
  EXPECT_EQ(limit.turn(now + std::chrono::seconds(10)), " (and 2 more since the last such line)");
  EXPECT_EQ(limit.turn(now + std::chrono::seconds(20)), "");
}

}  // namespace
}  // namespace vireo::doors::libvirt::testing
