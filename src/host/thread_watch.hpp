// What each thread of a process does, and which of them are stuck: in uninterruptible sleep, where in the kernel, since
// when, and about which file. One small read for each thread that is not. Nothing is read that could wait for the
// process's memory or for a file system: a link below /proc/PID/fd is only a name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/counted_mutex.hpp"
#include "host/proc_text.hpp"
#include "model/stats.hpp"

namespace vireo::host {

class ThreadWatch {
 public:
  struct Seen {
    std::map<pid_t, ProcStat> threads;
    std::vector<model::StuckThread> stuck;
    bool stopped = false;  // all of the process
  };

  // `folder`: "/proc/PID".
  ThreadWatch(std::string folder, pid_t pid) : folder_(std::move(folder)), pid_(pid) {}

  // Any thread.
  Seen look(SteadyClock::time_point now);

 private:
  struct Sleep {
    std::uint64_t turns = 0;  // how often the thread had got a processor: as long as it is the same, so is the sleep
    SteadyClock::time_point since;
  };
  model::StuckThread describe(pid_t tid, const ProcStat& stat, std::string where) const;

  const std::string folder_;
  const pid_t pid_;
  CountedMutex mutex_{"since when a process's threads sleep"};
  std::map<pid_t, Sleep> sleeping_;
};

}  // namespace vireo::host
