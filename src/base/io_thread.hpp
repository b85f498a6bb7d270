// An event loop and the one thread that runs it: the core, or a door. The thread begins with start() and ends with
// stop(), which also destroys the coroutines that are still suspended, while all that they refer to exists; timers and
// sockets of the loop may be destroyed afterwards, until the IoThread itself goes.
#pragma once

#include <pthread.h>
#include <time.h>

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
  // one first, Asio does not tell when it began: then the processor time is taken, which does not pass in waiting.
  void run_measured() {
    using std::chrono::nanoseconds;
    const auto processor_time = [] {
      timespec time{};
      ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
      return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
    };
    auto began = std::chrono::steady_clock::now();
    while (!context_.stopped()) {
      if (context_.poll_one() > 0) {
        const auto now = std::chrono::steady_clock::now();
        meter_->add(now - std::exchange(began, now));
        continue;
      }
      const auto before = processor_time();
      context_.run_one();
      meter_->add(processor_time() - before);
      began = std::chrono::steady_clock::now();
    }
  }

  std::string name_;
  LoopMeter* const meter_;
  Context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace vireo
