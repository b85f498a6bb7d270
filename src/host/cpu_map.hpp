// Naming the host's processor: which of libvirt's CPU models it can run as, and which named features it has besides.
// The names come from the CPU map that Debian's libvirt0 ships as data; without it the processor has no model name.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vireo::host {

struct CpuidRegisters {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};
// The CPUID instruction, or a test's table. Leaves that the processor does not have answer zeros.
using Cpuid = std::function<CpuidRegisters(std::uint32_t leaf, std::uint32_t subleaf)>;

// The processor that this runs on; all zeros on other architectures.
CpuidRegisters host_cpuid(std::uint32_t leaf, std::uint32_t subleaf);

struct HostCpu {
  std::string model;   // "kvm64"; empty: unknown
  std::string vendor;  // "AMD"; empty: unknown
  unsigned family = 0, model_number = 0, stepping = 0;
  unsigned physical_address_bits = 0;
  std::vector<std::string> features;  // those that the model does not have, in the map's order
};

// `folder` holds index.xml and what it includes, usually /usr/share/libvirt/cpu_map.
HostCpu identify_cpu(const std::string& folder, const Cpuid& cpuid);

}  // namespace vireo::host
