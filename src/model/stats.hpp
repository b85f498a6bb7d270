// What is measured of a running guest: what QEMU counts, what the host's kernel counts, and how well the monitor
// answers. Plain values in QEMU's and the kernel's own units; which of them a client sees under which name is decided
// elsewhere (core/stats/record.hpp). A sample is immutable; each of its parts has the time at which it was taken.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.hpp"

namespace vireo::model {

// One image as QEMU counts it (BlockDeviceStats in QEMU's qapi/block-core.json).
struct ImageCounts {
  std::string node;  // its name in QEMU's block graph, "libvirt-1-format"; empty: QEMU did not tell
  std::uint64_t reads = 0, read_bytes = 0, read_ns = 0;
  std::uint64_t writes = 0, written_bytes = 0, write_ns = 0;
  std::uint64_t flushes = 0, flush_ns = 0;
  std::uint64_t failed_reads = 0, failed_writes = 0, failed_flushes = 0;
  std::optional<std::uint64_t> highest_write;  // the end of what was written farthest out, in bytes
};

struct DiskCounts {
  std::string alias;               // of the device, "virtio-disk0"
  std::vector<ImageCounts> chain;  // the disk's image, what is behind it, and so on
};
using BlockCounts = std::vector<DiskCounts>;

// What does not change while a guest runs, or changes with a command that somebody gave: learnt once for each life.
struct ImageFacts {
  std::string node;
  std::string file;  // of the image
  std::uint64_t capacity_bytes = 0;
};
using BlockFacts = std::vector<ImageFacts>;

// What the guest's balloon driver tells of the guest (virtio, 5.5.6.4); absent: it does not tell.
struct BalloonReport {
  std::int64_t last_update_s = 0;  // since the epoch; 0: never
  std::optional<std::uint64_t> swap_in_bytes, swap_out_bytes, major_faults, minor_faults, free_bytes, total_bytes,
      available_bytes, disk_caches_bytes, hugetlb_allocations, hugetlb_failures;
};

// The rate at which the guest dirties its memory, as it was measured last (query-dirty-rate).
struct DirtyRate {
  enum class Status { unstarted, measuring, measured } status = Status::unstarted;  // virDomainDirtyRateStatus' numbers
  std::int64_t start_time_s = 0, calc_time_s = 0;
  std::optional<std::int64_t> mib_per_s;
  std::string mode;                                          // "page-sampling", "dirty-ring", "dirty-bitmap"
  std::vector<std::pair<std::int64_t, std::int64_t>> vcpus;  // index, MiB per second; of the mode dirty-ring
};

// One of KVM's counters (query-stats): a number, or true and false.
struct KvmCount {
  std::string name;    // "halt_poll_success_ns"
  std::string suffix;  // "sum", "max", "cur": what kind of figure it is, as QEMU's schema says
  std::variant<std::uint64_t, bool> value;
};
struct KvmCounts {
  std::vector<KvmCount> vm;
  std::vector<std::vector<KvmCount>> vcpus;  // by index
};

struct VcpuTimes {
  std::uint64_t run_ns = 0;    // on a processor
  std::uint64_t delay_ns = 0;  // ready, without one
  std::uint64_t wait_ns = 0;   // for something; the kernel counts it only when told to (kernel.sched_schedstats)
  int processor = -1;          // where it ran last
};

struct NetCounts {
  std::string target;                                                       // the host's device
  std::uint64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_drops = 0;  // towards the guest
  std::uint64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_drops = 0;
};

struct FileSize {
  std::string path;
  std::uint64_t length_bytes = 0, allocated_bytes = 0;  // st_size, and st_blocks in bytes
};

// An image as its file tells of it, while nobody may be writing to it.
struct ImageSizes {
  std::uint64_t capacity_bytes = 0;    // what the guest sees
  std::uint64_t allocation_bytes = 0;  // what it takes of the host's disk
  std::uint64_t physical_bytes = 0;    // up to the end of the file, or of the block device
};

// A thread that nothing can wake but what it waits for: in uninterruptible sleep, or waiting for a file system in user
// space, which is as deaf in fact.
struct StuckThread {
  pid_t tid = 0;
  std::string name;               // "CPU 0/KVM", "worker"
  std::string where;              // the kernel's function, "io_schedule"; empty: it does not tell
  std::string file;               // which of the process's files its system call is about; empty: not told
  SteadyClock::time_point since;  // when it was first seen in this very sleep
};

// What the kernel knows of the process, without asking it.
struct HostFigures {
  std::uint64_t cpu_ns = 0, user_ns = 0, system_ns = 0;
  std::uint64_t rss_kib = 0;
  std::vector<std::optional<VcpuTimes>> vcpus;  // by index; empty: its thread is not known
  std::vector<NetCounts> nets;                  // of those interfaces that are devices of the host
  std::vector<FileSize> files;                  // of the guest's images and what is behind them
  std::vector<StuckThread> stuck;
  bool stopped = false;  // the process, by a signal or a debugger
  // Pressure stall information of the guest's control group: microseconds in which some of its tasks waited.
  std::optional<std::uint64_t> cpu_stall_us, memory_stall_us, io_stall_us;
};

// A part of a sample, and when it was true.
template <class T>
struct Timed {
  std::shared_ptr<const T> value;  // null: never taken
  SteadyClock::time_point at;

  explicit operator bool() const { return value != nullptr; }
  const T& operator*() const { return *value; }
  const T* operator->() const { return value.get(); }
};

// How a guest's monitor answers.
struct MonitorHealth {
  std::optional<SteadyClock::duration> round_trip;       // of the last question that was answered
  std::optional<SteadyClock::time_point> answered_at;    // the last answer
  std::optional<SteadyClock::time_point> waiting_since;  // the oldest question without an answer
  std::uint64_t answers = 0, failures = 0;
};

// All that is known of one life of a guest.
struct GuestSample {
  int id = -1;  // which life
  Timed<HostFigures> host;
  Timed<BlockCounts> block;
  Timed<BlockFacts> images;
  Timed<BalloonReport> balloon;
  Timed<DirtyRate> dirty_rate;
  Timed<KvmCounts> kvm;
  MonitorHealth monitor;
};
using GuestSamplePtr = std::shared_ptr<const GuestSample>;

}  // namespace vireo::model
