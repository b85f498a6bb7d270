// Timers on both kinds of time: the order in which waits end, cancellation, and that nothing is left at the end.
#include "base/timer.hpp"

#include <gtest/gtest.h>

#include "base/wake.hpp"
#include "base/workers.hpp"

namespace vireo {
namespace {

using namespace std::chrono_literals;

asio::awaitable<void> note_at(std::string& order, char what, SteadyClock::time_point moment) {
  Timer timer(co_await asio::this_coro::executor, moment);
  boost::system::error_code how;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, how));
  order += how ? static_cast<char>(what - 'a' + 'A') : what;
}
asio::awaitable<void> note_after(std::string& order, char what, SteadyClock::duration span) {
  return note_at(order, what, SteadyClock::now() + span);
}

void drain(asio::io_context& io) {
  io.restart();
  while (io.poll() > 0) io.restart();
}

TEST(Timer, EndsWaitsInTheOrderOfTheirMomentsOnVirtualTime) {
  VirtualTime time;
  asio::io_context io;
  std::string order;
  const auto began = SteadyClock::now();
  asio::co_spawn(io, note_after(order, 'c', 3h), asio::detached);
  asio::co_spawn(io, note_after(order, 'a', 1h), asio::detached);
  asio::co_spawn(io, note_after(order, 'b', 1h), asio::detached);
  drain(io);
  EXPECT_EQ(SteadyClock::now(), began);
  EXPECT_EQ(time.next(), began + 1h);
  while (time.waiting() > 0) {
    time.step();
    drain(io);
  }
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(SteadyClock::now(), began + 3h);
}

TEST(Timer, IsCancelledThroughItsCoroutineOnVirtualTime) {
  VirtualTime time;
  asio::io_context io;
  std::string order;
  asio::cancellation_signal gone;
  asio::co_spawn(io, note_after(order, 'a', 1h), asio::bind_cancellation_slot(gone.slot(), asio::detached));
  drain(io);
  gone.emit(asio::cancellation_type::terminal);
  drain(io);
  EXPECT_EQ(order, "A");
  EXPECT_EQ(time.waiting(), 0U);
  gone.emit(asio::cancellation_type::terminal);  // late: nothing waits any more
}

TEST(Timer, IsTheSteadyTimerWithoutVirtualTime) {
  asio::io_context io;
  std::string order;
  const auto began = std::chrono::steady_clock::now();
  asio::co_spawn(io, note_at(order, 'b', began + 5ms), asio::detached);
  asio::co_spawn(io, note_at(order, 'a', began + 1ms), asio::detached);
  io.run();
  EXPECT_EQ(order, "ab");
  EXPECT_GE(std::chrono::steady_clock::now() - began, 5ms);
}

asio::awaitable<void> wait_for(Wake& wake, std::optional<bool>& fired) { fired = co_await wake.wait(Deadline::in(1h)); }

TEST(Timer, DropsWhatWaitsAndItsCoroutinesWithTheVirtualTime) {
  asio::io_context io;
  std::optional<bool> fired;
  const auto alive = std::make_shared<int>();
  {
    VirtualTime time;
    Wake wake(io.get_executor());
    asio::co_spawn(io, wait_for(wake, fired), [alive](const std::exception_ptr&) {});
    drain(io);
    EXPECT_EQ(alive.use_count(), 2);
    time.drop_all();
    drain(io);  // a coroutine's frames are destroyed through its executor
    EXPECT_EQ(alive.use_count(), 1);
    EXPECT_EQ(time.waiting(), 0U);
  }
  EXPECT_FALSE(fired);
}

asio::awaitable<void> hand_over(Workers& workers, std::string& seen) {
  auto number = co_await workers.run<int>([]() -> Result<int> { return 7; }, Deadline::in(1s));
  auto pretended = co_await workers.run<void>(
      [&seen]() -> Result<void> {
        seen += "ran ";
        return {};
      },
      Deadline::in(1s));
  seen += std::to_string(*number) + (pretended ? " ok" : " " + pretended.error().detail);
}

TEST(Workers, WithoutThreadsTakeVirtualTimeAndMayStandInForFiles) {
  VirtualTime time;
  asio::io_context io;
  Workers really("really", Workers::Inline{.delay = [] { return 2s; }});
  Workers pretend("pretend", Workers::Inline{.delay = [] { return 3s; },
                                             .instead = [] { return fail(VIR_ERR_SYSTEM_ERROR, "full"); }});
  std::string first, second;
  const auto began = SteadyClock::now();
  asio::co_spawn(io, hand_over(really, first), asio::detached);
  asio::co_spawn(io, hand_over(pretend, second), asio::detached);
  drain(io);
  while (time.waiting() > 0) {
    time.step();
    drain(io);
  }
  EXPECT_EQ(first, "ran 7 ok");
  EXPECT_EQ(second, "7 full");
  EXPECT_EQ(SteadyClock::now() - began, 6s);
}

}  // namespace
}  // namespace vireo
