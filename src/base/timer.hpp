// Timer: waits until a moment of Vireo's clock. In a daemon it is Asio's own steady timer; made while a test has put
// the process on virtual time, it waits there, and then for one waiter at a time. Belongs to its executor, not
// thread-safe.
#pragma once

#include "base/clock.hpp"

namespace vireo {

class Timer {
 public:
  explicit Timer(const asio::any_io_executor& executor) : Timer(executor, SteadyClock::time_point{}) {}
  Timer(const asio::any_io_executor& executor, SteadyClock::duration span)
      : Timer(executor, SteadyClock::now() + span) {}
  Timer(const asio::any_io_executor& executor, SteadyClock::time_point expiry) {
    if (VirtualTime::current()) [[unlikely]]
      timer_.emplace<Virtual>(executor, expiry);
    else
      timer_.emplace<asio::steady_timer>(executor, expiry);
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }

  // Both end a wait that is under way, with operation_aborted.
  void cancel() {
    if (auto* real = std::get_if<asio::steady_timer>(&timer_))
      real->cancel();
    else if (const auto* mine = std::get_if<Virtual>(&timer_))
      abort(mine->place);
  }
  void expires_at(SteadyClock::time_point expiry) {
    cancel();
    if (auto* real = std::get_if<asio::steady_timer>(&timer_))
      real->expires_at(expiry);
    else
      std::get<Virtual>(timer_).expiry = expiry;
  }

  template <class Token>
  auto async_wait(Token&& token) {
    return asio::async_initiate<Token, void(boost::system::error_code)>(Begin{}, token, this);
  }

 private:
  struct Virtual {
    Virtual(asio::any_io_executor e, SteadyClock::time_point t) : executor(std::move(e)), expiry(t) {}
    asio::any_io_executor executor;
    SteadyClock::time_point expiry;
    VirtualTime::Place place{};  // of the last wait
  };

  struct Begin {
    template <class Handler>
    void operator()(Handler&& handler, Timer* timer) const {
      if (auto* real = std::get_if<asio::steady_timer>(&timer->timer_))
        real->async_wait(std::forward<Handler>(handler));
      else
        begin(std::get<Virtual>(timer->timer_), std::forward<Handler>(handler));
    }

    template <class Handler>
    static void begin(Virtual& wait, Handler&& handler) {
      auto slot = asio::get_associated_cancellation_slot(handler);
      auto executor = asio::get_associated_executor(handler, wait.executor);
      wait.place = VirtualTime::current()->add(
          wait.expiry, [executor, handler = std::forward<Handler>(handler)](boost::system::error_code how) mutable {
            asio::post(executor, [handler = std::move(handler), how]() mutable { std::move(handler)(how); });
          });
      if (slot.is_connected()) slot.assign([place = wait.place](asio::cancellation_type) { abort(place); });
    }
  };

  static void abort(const VirtualTime::Place& place) {
    if (auto* virtual_time = VirtualTime::current()) virtual_time->end(place, asio::error::operation_aborted);
  }

  std::variant<std::monostate, asio::steady_timer, Virtual> timer_;
};

}  // namespace vireo
