// The <host> element of the capabilities. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/uuid.hpp"
#include "host/cpu_map.hpp"
#include "host/topology.hpp"

namespace vireo::host {

struct HostDescription {
  Uuid uuid;
  std::string arch;  // "x86_64"
  HostCpu cpu;
  std::uint64_t microcode = 0;  // 0: unknown
  std::vector<std::uint64_t> page_sizes_kib;
  bool iommu = false;
  Topology topology;
};

// Indented by two spaces, as it stands inside <capabilities>.
std::string host_xml(const HostDescription& host);

}  // namespace vireo::host
