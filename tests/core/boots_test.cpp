// How long starts take: which of them make up a storm, what is noted of each, and what survives the daemon. On
// simulated guests.
#include <gtest/gtest.h>

#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

using namespace std::chrono_literals;
using model::UpSign;
using Kind = ports::GuestEvent::Kind;

model::BootTimes named(std::string name) {
  return {
      .uuid = Uuid::random(), .name = std::move(name), .began = {}, .process_us = {}, .running_us = {}, .up_us = {}};
}

// Whose starts the last storm holds, and when each was asked for, in ms since the first.
std::map<std::string, std::int64_t> storm_of(const core::BootLog& log) {
  std::map<std::string, std::int64_t> names;
  log.history().pin()->storm.for_each(
      [&](std::uint64_t, const model::BootTimesPtr& boot) { names[boot->name] = boot->offset_us / 1000; });
  return names;
}

using Storm = std::map<std::string, std::int64_t>;

class Storms : public ::testing::Test {
 protected:
  core::Boot begin(const std::string& name) { return log.begin(named(name), SteadyClock::now()); }
  void succeed() { log.succeeded(std::make_shared<const model::LaunchTrace>()); }
  void pass(SteadyClock::duration span) { time.pass_to(time.now() + span); }

  VirtualTime time;
  core::BootLog log;
};

TEST_F(Storms, StartsThatOverlapAreOne) {
  begin("a");
  pass(1h);
  begin("b");
  succeed();
  pass(1h);
  begin("c");
  EXPECT_EQ(storm_of(log), (Storm{{"a", 0}, {"b", 3'600'000}, {"c", 7'200'000}}));
  EXPECT_EQ(log.history().pin()->under_way, 2U);
}

TEST_F(Storms, AStartSoonAfterTheLastEndBelongsToIt) {
  begin("a");
  pass(2s);
  succeed();
  pass(10s);
  auto b = begin("b");
  EXPECT_EQ(storm_of(log), (Storm{{"a", 0}, {"b", 12'000}}));
  pass(1s);
  log.failed(b, "spawn");
  pass(10s);
  begin("c");
  succeed();
  EXPECT_EQ(storm_of(log).size(), 3U) << "a failure is an end like any other";
  pass(10s + 1us);
  begin("d");
  EXPECT_EQ(storm_of(log), (Storm{{"d", 0}}));
}

TEST_F(Storms, WhatIsNotedLateStaysOutOfALaterStorm) {
  auto a = begin("a");
  succeed();
  pass(11s);
  begin("b");
  auto times = *a.times;
  times.up_us = 12'000'000;
  log.note(a, times);
  EXPECT_EQ(a.times->up_us, 12'000'000);
  EXPECT_EQ(storm_of(log), (Storm{{"b", 0}}));
}

TEST_F(Storms, LaunchesAreKeptUpToANumberAndFailuresCounted) {
  constexpr auto kept = model::LaunchHistory::kept_launches;
  for (std::uint64_t i = 0; i < kept + 5; ++i) {
    begin("a");
    succeed();
  }
  for (const char* phase : {"spawn", "claim", "spawn"}) {
    auto boot = begin("b");
    log.failed(boot, phase);
  }
  const auto history = log.history().snapshot();
  EXPECT_EQ(history->launches.size(), kept);
  EXPECT_FALSE(history->launches.find(std::uint64_t{5}));
  EXPECT_TRUE(history->launches.find(std::uint64_t{6}));
  EXPECT_EQ(history->succeeded, kept + 5);
  EXPECT_EQ(history->failed, 3U);
  EXPECT_EQ(history->failed_in, (std::vector<std::pair<std::string, std::uint64_t>>{{"spawn", 2}, {"claim", 1}}));
}

TEST_F(Storms, AStormThatNeverEndsIsCutOff) {
  for (std::size_t i = 0; i <= core::BootLog::largest_storm; ++i) {
    begin("a" + std::to_string(i));
    succeed();
  }
  EXPECT_EQ(storm_of(log).size(), 1U);
}

// Two hosts, one after the other, over the same guests.
class Boots : public ::testing::Test {
 protected:
  Boots() { sim.emplace(":memory:", world); }

  core::DomainRef defined(const std::string& name, bool agent = false) {
    auto def = definition(name);
    if (agent) {
      auto& channel = def.devices.channels.emplace_back();
      channel.name = "org.qemu.guest_agent.0";
      channel.info.alias = "channel0";
    }
    EXPECT_TRUE(sim->run(core::define(sim->host, def)));
    return ref_of(def);
  }
  model::BootTimesPtr boot_of(const core::DomainRef& ref) {
    const auto view = sim->see(ref);
    return view ? view->boot : nullptr;
  }
  // What a guest tells by itself.
  void tells(const ports::GuestEvent& event) {
    sim->on_core([this, event] { world->processes().back()->emit(event); });
    sim->settle();
  }

  std::shared_ptr<sim::World> world = std::make_shared<sim::World>();
  std::optional<SimHost> sim;
};

TEST_F(Boots, AStartIsTimedUntilItRunsAndUntilItSaysThatItIsUp) {
  const auto web = defined("web");
  EXPECT_FALSE(boot_of(web));
  sim->script->launch_delay = 20ms;
  ASSERT_TRUE(sim->run(core::start(sim->host, web, {})));
  const auto running = boot_of(web);
  ASSERT_TRUE(running);
  EXPECT_EQ(running->id, sim->see(web)->id);
  EXPECT_GE(running->process_us, 20'000);
  EXPECT_GE(running->running_us, running->process_us);
  EXPECT_LE(*running->running_us, sim->see(web)->last_launch->total_us());
  EXPECT_FALSE(running->up_us);
  EXPECT_EQ(running->up_by, UpSign::none);

  tells({.kind = Kind::SaysUp, .sign = UpSign::console});
  const auto up = boot_of(web);
  EXPECT_GE(up->up_us, up->running_us);
  EXPECT_EQ(up->up_by, UpSign::console);
  // Only the first time counts.
  tells({.kind = Kind::SaysUp, .sign = UpSign::console});
  EXPECT_EQ(boot_of(web), up);

  ASSERT_TRUE(sim->run(core::destroy(sim->host, web, false)));
  EXPECT_EQ(boot_of(web), up) << "kept until the next start";
  ASSERT_TRUE(sim->run(core::start(sim->host, web, {})));
  EXPECT_FALSE(boot_of(web)->up_us);
  EXPECT_EQ(sim->host.boots.history().pin()->storm.size(), 2U);
}

TEST_F(Boots, TheAgentsChannelSaysThatAGuestIsUp) {
  const auto web = defined("web", true);
  ASSERT_TRUE(sim->run(core::start(sim->host, web, {})));
  tells({.kind = Kind::ChannelChanged, .connected = false, .detail = "channel0"});
  tells({.kind = Kind::ChannelChanged, .connected = true, .detail = "another"});
  EXPECT_EQ(boot_of(web)->up_by, UpSign::none);
  tells({.kind = Kind::ChannelChanged, .connected = true, .detail = "channel0"});
  EXPECT_EQ(boot_of(web)->up_by, UpSign::agent);
  EXPECT_TRUE(boot_of(web)->up_us);
}

TEST_F(Boots, APausedGuestRunsOnceItIsResumed) {
  const auto web = defined("web");
  ASSERT_TRUE(sim->run(core::start(sim->host, web, {.paused = true})));
  EXPECT_TRUE(boot_of(web)->paused);
  EXPECT_TRUE(boot_of(web)->process_us);
  EXPECT_FALSE(boot_of(web)->running_us);
  ASSERT_TRUE(sim->run(core::resume(sim->host, web)));
  sim->settle();
  const auto resumed = boot_of(web);
  EXPECT_TRUE(resumed->running_us);
  ASSERT_TRUE(sim->run(core::suspend(sim->host, web)));
  ASSERT_TRUE(sim->run(core::resume(sim->host, web)));
  sim->settle();
  EXPECT_EQ(boot_of(web)->running_us, resumed->running_us) << "only the first time counts";
}

TEST_F(Boots, AFailedStartIsCountedInItsPhase) {
  const auto web = defined("web");
  sim->script->launch_fails = true;
  EXPECT_FALSE(sim->run(core::start(sim->host, web, {})));
  EXPECT_FALSE(boot_of(web)) << "that start has no times to be remembered";
  auto transient = definition("transient");
  EXPECT_FALSE(sim->run(core::create(sim->host, transient, {})));
  const auto history = sim->host.boots.history().snapshot();
  EXPECT_EQ(history->failed, 2U);
  EXPECT_EQ(history->succeeded, 0U);
  EXPECT_EQ(history->under_way, 0U);
  EXPECT_EQ(history->failed_in, (std::vector<std::pair<std::string, std::uint64_t>>{{"capabilities", 2}}));
  history->storm.for_each([](std::uint64_t, const model::BootTimesPtr& boot) { EXPECT_TRUE(boot->failed); });
}

TEST(BootsOnDisk, ALaterDaemonKnowsThem) {
  const tests::Folder folder;
  const auto database = folder.file("vireo.db");
  const auto world = std::make_shared<sim::World>();
  auto web = definition("web"), paused = definition("paused");
  model::BootTimesPtr before;
  {
    SimHost first(database, world);
    for (const auto& def : {web, paused}) ASSERT_TRUE(first.run(core::define(first.host, def)));
    ASSERT_TRUE(first.run(core::start(first.host, ref_of(paused), {.paused = true})));
    ASSERT_TRUE(first.run(core::start(first.host, ref_of(web), {})));
    first.on_core([&] { world->processes().back()->emit({.kind = Kind::SaysUp, .sign = UpSign::console}); });
    first.settle();
    before = first.see(ref_of(web))->boot;
    ASSERT_TRUE(before && before->up_us);
  }
  auto store = persist::SqliteStore::open(database).value();
  FakeFacts facts;
  auto stored = store->load(facts.boot_id()).value();
  store->stop();
  SimHost second(database, world);
  second.run(core::recover(second.host, std::move(stored), Deadline::in(5s)));
  second.settle();
  const auto after = second.see(ref_of(web))->boot;
  ASSERT_TRUE(after);
  EXPECT_EQ(after->up_us, before->up_us);
  EXPECT_EQ(after->running_us, before->running_us);
  EXPECT_EQ(after->process_us, before->process_us);
  EXPECT_EQ(after->up_by, UpSign::console);
  // What comes only now counts from the same call.
  ASSERT_TRUE(second.run(core::resume(second.host, ref_of(paused))));
  second.settle();
  EXPECT_GT(second.see(ref_of(paused))->boot->running_us, second.see(ref_of(paused))->boot->process_us);
  EXPECT_FALSE(second.see(ref_of(paused))->boot->up_us);
}

}  // namespace
}  // namespace vireo::tests
