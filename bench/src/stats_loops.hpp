// Monitoring scripts beside a measurement: several processes of bench/stats-loop, each of which asks a server for the
// statistics of all guests ten times a second. They are programs of their own in Python, because that is what people
// run, and what they take of the machine belongs to the picture.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "report.hpp"

namespace vireo::bench {

struct LoopsSaid {
  Series waited;  // from when each question was due until its answer
  std::size_t refused = 0;
};

class StatsLoops {
 public:
  // Returns when each has had its first answer.
  static Result<StatsLoops> start(const std::string& program, const std::string& uri, int count);
  StatsLoops(StatsLoops&&) = default;
  StatsLoops& operator=(StatsLoops&&) = delete;
  ~StatsLoops();

  // Ends them. Error: one has failed.
  Result<LoopsSaid> finish();

 private:
  struct Loop {
    pid_t pid;
    Fd in;  // its end ends the loop
    Fd out;
  };
  StatsLoops() = default;
  std::vector<Loop> loops_;
};

}  // namespace vireo::bench
