// An event loop and the one thread that runs it: the core, or a door. The thread begins with start() and ends with
// stop(), which also destroys the coroutines that are still suspended, while all that they refer to exists; timers and
// sockets of the loop may be destroyed afterwards, until the IoThread itself goes.
#pragma once

#include <pthread.h>

#include <algorithm>
#include <string>
#include <thread>

#include "base/loop_meter.hpp"

namespace vireo {

class IoThread {
 public:
  // `name` is what tools such as top show for the thread; at most 15 characters. With a meter, the loop's turns are
  // measured.
  explicit IoThread(std::string name, LoopMeter* meter = nullptr)
      : name_(std::move(name)), meter_(meter), work_(asio::make_work_guard(context_)) {}
  ~IoThread() { stop(); }

  asio::any_io_executor executor() { return context_.get_executor(); }

  void start() {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), name_.c_str());
      if (meter_)
        run_measured();
      else
        context_.run();
    });
  }

  void stop() {
    end();
    context_.destroy_suspended();
  }
  // Ends the thread once it has done what it was given until now; what is suspended stays so.
  void end() {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] { context_.stop(); });
    thread_.join();
  }

 private:
  struct Context : asio::io_context {
    Context() : asio::io_context(1) {}
    void destroy_suspended() { shutdown(); }
  };

  // One handler at a time. Where handlers are ready, a turn is what one of them takes. Where the loop has to wait for
  // one first, Asio does not tell when it began: there the processor time is taken, which does not pass in waiting. It
  // is dear to ask for, so it is asked once and what the turns in between took is subtracted.
  void run_measured() {
    using std::chrono::nanoseconds, std::chrono::steady_clock;
    meter_->attach();
    const auto processor_time = [] { return LoopMeter::processor_time_of(CLOCK_THREAD_CPUTIME_ID); };
    auto began = steady_clock::now();
    auto accounted = processor_time();
    while (!context_.stopped()) {
      if (context_.poll_one() > 0) {
        const auto now = steady_clock::now();
        const auto turn = now - std::exchange(began, now);
        accounted += turn;
        meter_->add_turn(turn);
        continue;
      }
      context_.run_one();
      const auto used = processor_time();
      meter_->add_turn(std::max(nanoseconds(0), used - std::exchange(accounted, used)));
      began = steady_clock::now();
    }
  }

  std::string name_;
  LoopMeter* const meter_;
  Context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace vireo
