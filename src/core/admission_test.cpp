// Admission: a bounded number inside, first come first served, and hung ones stop counting.
#include "core/admission.hpp"

#include <gtest/gtest.h>

#include "base/test_virtual_io.hpp"

namespace vireo::core {
namespace {

using namespace std::chrono_literals;

struct AdmissionTest : ::testing::Test, tests::VirtualIo {
  std::string log;
};

asio::awaitable<void> visit(AdmissionTest& t, Admission& admission, char name, std::chrono::milliseconds stay) {
  auto place = co_await admission.enter(Deadline::in(10s));
  EXPECT_TRUE(place.has_value());
  EXPECT_LE(admission.inside(), 2U);
  t.log += name;
  Timer timer(t.io.get_executor(), stay);
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> hang(AdmissionTest& t, Admission& admission) {
  auto place = co_await admission.enter(Deadline::in(10s));
  EXPECT_TRUE(place.has_value());
  t.log += 'h';
  Timer timer(t.io.get_executor(), 300ms);
  co_await timer.async_wait(asio::use_awaitable);
  t.log += 'H';
}

asio::awaitable<void> be_refused(AdmissionTest& t, Admission& admission) {
  const auto place = co_await admission.enter(Deadline::in(5ms));
  EXPECT_FALSE(place.has_value());
  EXPECT_EQ(place.error().code, VIR_ERR_OPERATION_TIMEOUT);
  t.log += 'r';
}

TEST_F(AdmissionTest, LetsInAsManyAsTheLimitInTheirOrder) {
  Admission admission(io.get_executor(), 2, 10s);
  for (const char name : {'a', 'b', 'c', 'd', 'e'})
    asio::co_spawn(io, visit(*this, admission, name, 2ms), asio::detached);
  run();
  EXPECT_EQ(log, "abcde");
  EXPECT_EQ(admission.inside(), 0U);
}

TEST_F(AdmissionTest, HungLaunchesKeepNobodyOutForLong) {
  Admission admission(io.get_executor(), 2, 20ms);
  for (int i = 0; i < 2; ++i) asio::co_spawn(io, hang(*this, admission), asio::detached);
  asio::co_spawn(io, be_refused(*this, admission), asio::detached);
  asio::co_spawn(io, hang(*this, admission), asio::detached);
  run();
  EXPECT_EQ(log, "hhrhHHH");
  EXPECT_EQ(admission.inside(), 0U);
}

TEST_F(AdmissionTest, ACancelledWaiterLeavesTheLineToTheNext) {
  Admission admission(io.get_executor(), 2, 10s);
  asio::cancellation_signal cancel;
  for (const char name : {'a', 'b'}) asio::co_spawn(io, visit(*this, admission, name, 20ms), asio::detached);
  asio::co_spawn(io, visit(*this, admission, 'x', 0ms),
                 asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) {}));
  asio::co_spawn(io, visit(*this, admission, 'c', 1ms), asio::detached);
  Timer soon(io.get_executor(), 5ms);
  soon.async_wait([&](auto) { cancel.emit(asio::cancellation_type::terminal); });
  run();
  EXPECT_EQ(log, "abc");
  EXPECT_EQ(admission.inside(), 0U);
}

TEST_F(AdmissionTest, MoreRoomLetsTheNextInAtOnce) {
  Admission admission(io.get_executor(), 1, 10s);
  for (const char name : {'a', 'b'}) asio::co_spawn(io, visit(*this, admission, name, 50ms), asio::detached);
  Timer soon(io.get_executor(), 5ms);
  std::string inside_then;
  soon.async_wait([&](auto) {
    EXPECT_EQ(admission.figures().waiting, 1U);
    admission.set_limit(2);
  });
  Timer later(io.get_executor(), 20ms);
  later.async_wait([&](auto) { inside_then = log; });
  run();
  EXPECT_EQ(inside_then, "ab");
}

}  // namespace
}  // namespace vireo::core
