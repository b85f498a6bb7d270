// Reading the kernel's small files about processes (proc(5)). The parsing is pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vireo::host {

// The beginning of a small file, at most 4 KiB; empty if it cannot be read.
std::string read_small(const std::string& path);

// What is used of /proc/PID/stat and /proc/PID/task/TID/stat.
struct ProcStat {
  char state = '?';  // R, S, D …
  std::uint64_t user_ticks = 0, system_ticks = 0;
  int processor = -1;  // the one that it ran on last
};
std::optional<ProcStat> parse_stat(std::string_view text);

// /proc/PID/task/TID/schedstat: time on a processor and time spent waiting for one.
struct SchedStat {
  std::uint64_t run_ns = 0, delay_ns = 0;
};
std::optional<SchedStat> parse_schedstat(std::string_view text);

// The time that a thread has waited for something, of /proc/PID/task/TID/sched, in nanoseconds; nothing where the
// kernel does not count it (CONFIG_SCHEDSTATS and the setting kernel.sched_schedstats).
std::optional<std::uint64_t> parse_wait_sum(std::string_view text);

std::optional<std::uint64_t> first_number(std::string_view text);
std::optional<std::uint64_t> second_number(std::string_view text);

// The index in QEMU's name of a thread that runs a vCPU: "CPU 3/KVM" is 3.
std::optional<unsigned> vcpu_of_thread(std::string_view name);

}  // namespace vireo::host
