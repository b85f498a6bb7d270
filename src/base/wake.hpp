// Wake: one thing that one coroutine waits for, once: a place in a lane, a worker's answer, a monitor's reply. The
// waiter gives a deadline; whoever has the answer calls fire(). Not thread-safe: wait() and fire() belong to the
// executor given at construction (another thread posts there).
//
// A timer that is cancelled to say "now" is Asio's idiom for this; here it stands once, with the races closed: a
// fire() before the wait is not lost, and a timer that has run out in the same turn does not win over a fire().
#pragma once

#include "base/deadline.hpp"
#include "base/timer.hpp"

namespace vireo {

class Wake {
 public:
  explicit Wake(const asio::any_io_executor& executor) : timer_(executor) {}

  void fire() {
    fired_ = true;
    timer_.cancel();
  }
  bool fired() const { return fired_; }

  // True: fired. False: the deadline has passed, or the waiting coroutine was cancelled.
  asio::awaitable<bool> wait(Deadline deadline) {
    if (fired_) co_return true;
    timer_.expires_at(deadline.time());
    boost::system::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return fired_;
  }

 private:
  Timer timer_;
  bool fired_ = false;
};

}  // namespace vireo
