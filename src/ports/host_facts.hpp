// The seam between the core and the machine it runs on: what virNodeGetInfo, virConnectGetHostname and the <host> part
// of the capabilities tell. Read when the daemon starts; cheap to ask from any thread afterwards.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

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
};

// What the host has done since it was booted, and has now. Zeroes where its kernel tells nothing.
struct HostUse {
  std::uint64_t busy_ms = 0, idle_ms = 0;  // of all processors together
  double load_1_min = 0, load_5_min = 0, load_15_min = 0;
  std::uint64_t memory_kib = 0, available_kib = 0;
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
  virtual HostUse use() const { return {}; }
};

}  // namespace vireo::ports
