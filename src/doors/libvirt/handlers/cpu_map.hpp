// A set of processors as libvirt's clients read it: a bit for each, the first in the lowest bit of the first byte.
#pragma once

#include <cstddef>
#include <vector>

namespace vireo::doors::libvirt {

inline std::vector<std::byte> bits_of(const std::vector<bool>& processors) {
  std::vector<std::byte> map((processors.size() + 7) / 8);
  for (std::size_t cpu = 0; cpu < processors.size(); ++cpu)
    if (processors[cpu]) map[cpu / 8] |= std::byte{1} << (cpu % 8);
  return map;
}

}  // namespace vireo::doors::libvirt
