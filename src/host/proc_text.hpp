// Reading the kernel's small files about processes (proc(5)). The parsing is pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ports/host_facts.hpp"

namespace vireo::host {

// The beginning of a small file, at most 4 KiB; empty if it cannot be read.
std::string read_small(const std::string& path);

// What is used of /proc/PID/stat and /proc/PID/task/TID/stat.
struct ProcStat {
  std::string name;  // of the thread
  char state = '?';  // R, S, D …
  std::uint64_t user_ticks = 0, system_ticks = 0, resident_pages = 0;
  int processor = -1;  // the one that it ran on last

  // By a signal or a debugger.
  bool stopped() const { return state == 'T' || state == 't'; }
};
std::optional<ProcStat> parse_stat(std::string_view text);

// /proc/PID/task/TID/schedstat: time on a processor, time spent waiting for one, and how often it got one.
struct SchedStat {
  std::uint64_t run_ns = 0, delay_ns = 0, turns = 0;
};
std::optional<SchedStat> parse_schedstat(std::string_view text);

// The time that a thread has waited for something, of /proc/PID/task/TID/sched, in nanoseconds; nothing where the
// kernel does not count it (CONFIG_SCHEDSTATS and the setting kernel.sched_schedstats).
std::optional<std::uint64_t> parse_wait_sum(std::string_view text);
// The descriptor that a thread's system call is about, from /proc/PID/task/TID/syscall; empty: none, or not in one.
std::optional<int> descriptor_in_call(std::string_view text);
// The innermost function of /proc/PID/task/TID/stack: "io_schedule".
std::string innermost_function(std::string_view text);
// Whether a thread that sleeps in this function of the kernel waits for a file system in user space.
bool waits_for_fuse(std::string_view function);

// The control group of version 2 in /proc/PID/cgroup: "/machine/web-1"; empty: none.
std::string unified_group(std::string_view text);
// Microseconds in which some tasks waited, from cpu.pressure and its like.
std::optional<std::uint64_t> stall_us(std::string_view text);

// A line of /proc/stat about that processor: "cpu", "cpu3". Otherwise nothing.
std::optional<ports::CpuTimes> parse_cpu_times(const std::string& line, std::string_view cpu);

// A line of /proc/net/arp; nothing for its heading and for addresses to which nobody has answered.
std::optional<ports::Neighbour> parse_neighbour(const std::string& line);

std::optional<std::uint64_t> first_number(std::string_view text);

// The index in QEMU's name of a thread that runs a vCPU: "CPU 3/KVM" is 3.
std::optional<unsigned> vcpu_of_thread(std::string_view name);

}  // namespace vireo::host
