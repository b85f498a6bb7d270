// The seam between the core and the machine it runs on: what virNodeGetInfo, virConnectGetHostname and the <host> part
// of the capabilities tell. Read when the daemon starts; cheap to ask from any thread afterwards.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "model/devices/disk.hpp"
#include "model/stats.hpp"

namespace vireo::ports {

// virNodeInfo, in libvirt's units.
struct NodeInfo {
  std::string cpu_model;  // "x86_64": the architecture, as libvirt puts it there
  std::uint64_t memory_kib = 0;
  unsigned cpus = 0;     // active logical processors
  unsigned mhz = 0;      // 0: unknown
  unsigned nodes = 1;    // NUMA cells
  unsigned sockets = 1;  // per node
  unsigned cores = 1;    // per socket
  unsigned threads = 1;  // per core
};

// What the host suffers from, as its kernel tells now. Zeroes where it tells nothing.
struct HostLoad {
  unsigned processors = 1;
  double memory_stall = 0, disk_stall = 0;  // percent of the last 10 s in which all tasks waited for it
  std::uint64_t memory_kib = 0, available_kib = 0;
  double load_1 = 0, load_5 = 0, load_15 = 0;  // tasks that run or want to, over so many minutes

  // Pressure stall information: microseconds since the host booted in which some or all tasks waited.
  struct Stalls {
    std::optional<std::uint64_t> some_us, all_us;
  };
  Stalls cpu, memory, io;
};

// What the kernel counts of this very process. Zeroes where it tells nothing.
struct OwnProcess {
  std::uint64_t cpu_ns = 0;  // user and system
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
  std::uint64_t descriptors = 0, most_descriptors = 0;
  unsigned threads = 0;
  double started_s = 0;  // since the epoch
};

// What the host's processors, or one of them, have done since the host booted.
struct CpuTimes {
  std::uint64_t kernel_ns = 0, user_ns = 0, idle_ns = 0, iowait_ns = 0;
};

// The host's memory, or that of one NUMA cell, of which the kernel tells less.
struct MemoryNow {
  std::uint64_t total_kib = 0, free_kib = 0;
  std::optional<std::uint64_t> buffers_kib, cached_kib;
};

// Who has answered to an address: a line of the host's ARP table.
struct Neighbour {
  std::string address, mac;
};

class HostFacts {
 public:
  virtual ~HostFacts() = default;
  virtual const std::string& hostname() const = 0;
  virtual const std::string& boot_id() const = 0;
  // Memory as it is now; the rest as it was when the daemon started.
  virtual NodeInfo node() const = 0;
  // The <host> element of virConnectGetCapabilities, ready to stand inside <capabilities>.
  virtual const std::string& capabilities_host_xml() const = 0;
  // User and system time that a process has used; 0 when it is gone. From /proc, which asks nobody.
  virtual std::uint64_t process_cpu_time_ns(pid_t pid) const = 0;
  // Reads files of /proc: for workers.
  virtual HostLoad load() const { return {}; }
  virtual OwnProcess own_process() const { return {}; }
  // Files of /proc and /sys too, which the kernel answers at once. Of all, or of one; no such one: nothing.
  virtual std::optional<CpuTimes> cpu_times(std::optional<unsigned> /*cpu*/) const { return CpuTimes{}; }
  virtual std::optional<MemoryNow> memory(std::optional<unsigned> /*cell*/) const { return MemoryNow{}; }
  // Of each processor that the host has, by number, whether it is in use.
  virtual std::vector<bool> processors() const { return {true}; }
  // The highest number of a cell.
  virtual unsigned last_cell() const { return 0; }
  virtual std::vector<Neighbour> neighbours() const { return {}; }
  // The sizes of an image, read from the file itself or its header: blocks for as long as the file system does. Error:
  // VIR_ERR_SYSTEM_ERROR naming the file. See core/stats/sizes_at_rest.hpp for whoever must not wait for it.
  virtual Result<model::ImageSizes> image_sizes(const std::string& file, model::ImageFormat /*format*/) const {
    return fail(VIR_ERR_NO_SUPPORT, "this host does not look into the file '" + file + "'");
  }
};

}  // namespace vireo::ports
