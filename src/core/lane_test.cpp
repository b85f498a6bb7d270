// Lanes: first come first served, exclusive across suspensions, and no place in the queue is ever lost.
#include "core/lane.hpp"

#include <gtest/gtest.h>

#include "base/test_virtual_io.hpp"

namespace vireo::core {
namespace {

using namespace std::chrono_literals;

struct Fixture : ::testing::Test, tests::VirtualIo {
  std::vector<std::string> log;
  int inside = 0;
};

asio::awaitable<void> visit(Fixture& f, Lane& lane, std::string name, std::chrono::milliseconds stay) {
  auto hold = co_await lane.enter("test", Deadline::in(10s));
  EXPECT_TRUE(hold.has_value());
  EXPECT_EQ(++f.inside, 1);
  f.log.push_back(name);
  Timer timer(f.io.get_executor(), stay);
  co_await timer.async_wait(asio::use_awaitable);
  EXPECT_EQ(--f.inside, 0);
}

asio::awaitable<void> fail_to_enter(Fixture& f, Lane& lane, std::chrono::milliseconds patience) {
  auto hold = co_await lane.enter("impatient", Deadline::in(patience));
  EXPECT_FALSE(hold.has_value());
  f.log.push_back(hold.error().message());
}

using LaneTest = Fixture;

TEST_F(LaneTest, ServesInOrderAndOneAtATime) {
  Lane lane(io.get_executor());
  for (const char* name : {"a", "b", "c", "d"}) asio::co_spawn(io, visit(*this, lane, name, 1ms), asio::detached);
  run();
  EXPECT_EQ(log, (std::vector<std::string>{"a", "b", "c", "d"}));
  EXPECT_EQ(lane.holder(), nullptr);
}

TEST_F(LaneTest, WhoWaitsTooLongLeavesTheQueueAndLearnsWhoHeldTheLane) {
  Lane lane(io.get_executor());
  asio::co_spawn(io, visit(*this, lane, "holder", 50ms), asio::detached);
  asio::co_spawn(io, fail_to_enter(*this, lane, 5ms), asio::detached);
  asio::co_spawn(io, visit(*this, lane, "next", 1ms), asio::detached);
  run();
  EXPECT_EQ(log,
            (std::vector<std::string>{
                "holder", "Timed out during operation: cannot acquire state change lock (held by 'test')", "next"}));
}

TEST_F(LaneTest, ACancelledWaiterGivesItsPlaceUp) {
  Lane lane(io.get_executor());
  asio::cancellation_signal cancel;
  asio::co_spawn(io, visit(*this, lane, "holder", 20ms), asio::detached);
  asio::co_spawn(io, fail_to_enter(*this, lane, 10s),
                 asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) {}));
  asio::co_spawn(io, visit(*this, lane, "next", 1ms), asio::detached);
  Timer soon(io.get_executor(), 5ms);
  soon.async_wait([&](boost::system::error_code) { cancel.emit(asio::cancellation_type::terminal); });
  run();
  EXPECT_EQ(log, (std::vector<std::string>{"holder", "operation aborted: the caller of 'impatient' has gone", "next"}));
  EXPECT_EQ(lane.waiting(), 0U);
  EXPECT_EQ(lane.holder(), nullptr);
}

TEST_F(LaneTest, OutlivesItsLaneObject) {
  auto lane = std::make_unique<Lane>(io.get_executor());
  asio::co_spawn(io, visit(*this, *lane, "a", 10ms), asio::detached);
  asio::co_spawn(io, visit(*this, *lane, "b", 1ms), asio::detached);
  io.run_one();
  io.run_one();
  lane.reset();
  run();
  EXPECT_EQ(log, (std::vector<std::string>{"a", "b"}));
}

}  // namespace
}  // namespace vireo::core
