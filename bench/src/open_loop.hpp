// Asking at a fixed rate. A client that asks again only when it has its answer stops asking just when a server stops
// answering, and so hides the wait that it should show. Here a question is due whether or not the last one is
// answered, and what counts is the time from when it was due until its answer.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "base/error.hpp"
#include "report.hpp"

namespace vireo::bench {

// One client with a thread of its own that asks `rate` times a second, from when it is made until finish().
class OpenLoop {
 public:
  // `ask` gets the number of the question. The first failure ends the asking.
  OpenLoop(double rate, std::function<Result<void>(int)> ask);
  ~OpenLoop();
  OpenLoop(const OpenLoop&) = delete;
  OpenLoop& operator=(const OpenLoop&) = delete;

  // Waits until all that was due before now is answered, and gives the latencies.
  Result<Series> finish();

 private:
  void run();
  const Clock::duration interval_;
  const std::function<Result<void>(int)> ask_;
  const Clock::time_point begun_ = Clock::now();
  std::atomic<Clock::time_point> end_{Clock::time_point::max()};
  Series latencies_;
  std::optional<Error> failed_;
  std::thread thread_;
};

}  // namespace vireo::bench
