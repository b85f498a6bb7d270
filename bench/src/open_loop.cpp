// The thread that asks. See open_loop.hpp.
#include "open_loop.hpp"

#include <sys/prctl.h>

namespace vireo::bench {

OpenLoop::OpenLoop(double rate, std::function<Result<void>(int)> ask)
    : interval_(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / rate))),
      ask_(std::move(ask)),
      thread_([this] { run(); }) {}

OpenLoop::~OpenLoop() { [[maybe_unused]] const auto nobody_asks = finish(); }

void OpenLoop::run() {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // nanoseconds: the kernel may not batch our wake-ups with others
  for (int k = 0;; ++k) {
    const auto due = begun_ + interval_ * k;
    // Bounded naps, so that finish() is noticed where the next question is far away.
    while (Clock::now() < due && due < end_.load())
      std::this_thread::sleep_until(std::min(due, Clock::now() + interval_));
    if (due >= end_.load()) return;
    if (auto answered = ask_(k); !answered) {
      failed_ = answered.error();
      return;
    }
    latencies_.add(Clock::now() - due);
  }
}

Result<Series> OpenLoop::finish() {
  if (thread_.joinable()) {
    end_ = Clock::now();
    thread_.join();
  }
  if (failed_) return std::unexpected(*failed_);
  return latencies_;
}

}  // namespace vireo::bench
