// What is told of a guest that is not well.
#include "core/stats/liveness.hpp"

#include <gtest/gtest.h>

namespace vireo::core {
namespace {

using namespace std::chrono_literals;
using Kind = Liveness::Kind;

struct AGuest : ::testing::Test {
  AGuest() { guest.id = 3; }

  void host(model::HostFigures figures) {
    sample.host = {std::make_shared<const model::HostFigures>(std::move(figures)), now - 1s};
  }
  // A thread that was asleep for `seen` when it was looked at, a second ago.
  static model::StuckThread thread(std::string file, SteadyClock::time_point since) {
    return {.tid = 9, .name = "worker", .where = "io_schedule", .file = std::move(file), .since = since};
  }
  Liveness told() const { return liveness_of(guest, &sample, lane, now); }

  const SteadyClock::time_point now = SteadyClock::now();
  model::DomainView guest;
  model::GuestSample sample{.id = 3};
  model::LaneGauge::Figures lane;
};

TEST_F(AGuest, ThatIsWellIsHealthy) {
  host({});
  sample.monitor.waiting_since = now - 200ms;  // asked just now
  lane = {.holder = "suspend", .held_for = 5ms};
  EXPECT_EQ(told().kind, Kind::healthy);
  EXPECT_EQ(told().sentence, "healthy");
  EXPECT_FALSE(told().is_ill());
}

TEST_F(AGuest, OfWhichNothingIsKnownIsNotCalledIll) {
  EXPECT_EQ(liveness_of(guest, nullptr, {}, now).sentence, "not measured yet");
  EXPECT_EQ(told().sentence, "not measured yet");
  guest.id = -1;
  EXPECT_EQ(told().sentence, "shut off");
  EXPECT_EQ(told().kind, Kind::shut_off);
}

TEST_F(AGuest, WhoseMonitorHangsIsSilent) {
  host({});
  sample.monitor.waiting_since = now - 12s;
  EXPECT_EQ(told().kind, Kind::silent);
  EXPECT_EQ(told().sentence, "silent for 12 s");
  EXPECT_TRUE(told().is_ill());
}

TEST_F(AGuest, WhoseMonitorHangsIsToldWithTheReason) {
  host({.stuck = {thread("/img/x.qcow2", now - 1s)}});
  sample.monitor.waiting_since = now - 300s;
  EXPECT_EQ(told().kind, Kind::stuck);
  EXPECT_EQ(told().sentence, "silent for 5 min, stuck in io_schedule on /img/x.qcow2");
  host({.stopped = true});
  EXPECT_EQ(told().kind, Kind::stopped);
  EXPECT_EQ(told().sentence, "stopped by a signal, silent for 5 min");
}

TEST_F(AGuest, WhoseMonitorAnswersIsStuckOnlyAfterAWhile) {
  host({.stuck = {thread("/img/x", now - 1s)}});  // seen for the first time
  EXPECT_EQ(told().kind, Kind::healthy);
  host({.stuck = {thread("/img/y", now - 2s), thread("/img/x", now - 8s)}});
  EXPECT_EQ(told().sentence, "stuck in io_schedule on /img/x for 8 s");
}

TEST_F(AGuest, WhoseLaneIsHeldIsBusy) {
  host({});
  lane = {.holder = "start", .held_for = 3s, .waiting = 2};
  EXPECT_EQ(told().kind, Kind::busy);
  EXPECT_EQ(told().sentence, "lane held by 'start' for 3 s, 2 wait");
  EXPECT_FALSE(told().is_ill());
  sample.monitor.waiting_since = now - 3h;
  lane.waiting = 1;
  EXPECT_EQ(told().sentence, "silent for 3 h, lane held by 'start' for 3 s, 1 waits");
}

}  // namespace
}  // namespace vireo::core
