// Looking at all threads, and closer at those that sleep deeply.
#include "host/thread_watch.hpp"

#include "host/proc_folder.hpp"

namespace vireo::host {
namespace {

// QEMU's threads for calls that may wait, and the kernel's for io_uring.
bool does_io(std::string_view name) { return name == "worker" || name.starts_with("iou-wrk"); }

std::string function_in(const std::string& thread) {
  auto where = read_small(thread + "/wchan");
  if (where.empty() || where == "0") where = innermost_function(read_small(thread + "/stack"));
  return where;
}

}  // namespace

model::StuckThread ThreadWatch::describe(pid_t tid, const ProcStat& stat, std::string where) const {
  const auto thread = folder_ + "/task/" + std::to_string(tid);
  model::StuckThread out{.tid = tid, .name = stat.name, .where = std::move(where)};
  if (const auto descriptor = descriptor_in_call(read_small(thread + "/syscall"))) {
    auto target = target_of(folder_ + "/fd/" + std::to_string(*descriptor));
    if (target.starts_with('/')) out.file = std::move(target);
  }
  return out;
}

ThreadWatch::Seen ThreadWatch::look(SteadyClock::time_point now) {
  Seen out;
  std::map<pid_t, std::uint64_t> turns;
  for (const int tid : numbers_in(folder_ + "/task")) {
    const auto thread = folder_ + "/task/" + std::to_string(tid);
    auto stat = parse_stat(read_small(thread + "/stat"));
    if (!stat) continue;  // it has just ended
    if (tid == pid_) out.stopped = stat->stopped();
    const bool deep = stat->state == 'D';
    if (deep || (stat->state == 'S' && does_io(stat->name))) {
      auto where = function_in(thread);
      if (deep || waits_for_fuse(where)) {
        out.stuck.push_back(describe(tid, *stat, std::move(where)));
        const auto sched = parse_schedstat(read_small(thread + "/schedstat"));
        turns[tid] = sched ? sched->turns : 0;
      }
    }
    out.threads.emplace(tid, std::move(*stat));
  }

  const CountedMutex::Hold hold(mutex_);
  std::map<pid_t, Sleep> sleeping;
  for (auto& thread : out.stuck) {
    const auto known = sleeping_.find(thread.tid);
    const bool same = known != sleeping_.end() && known->second.turns == turns[thread.tid];
    thread.since = same ? known->second.since : now;
    sleeping[thread.tid] = {.turns = turns[thread.tid], .since = thread.since};
  }
  sleeping_ = std::move(sleeping);
  return out;
}

}  // namespace vireo::host
