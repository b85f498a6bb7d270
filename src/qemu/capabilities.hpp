// What one QEMU binary can do, as plain data: probed once per binary (probe.hpp), kept on disk, and read by the pure
// parts that complete a definition and build its argv. Names and spellings are QEMU's own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vireo::qemu {

struct Machine {
  std::string name;   // "pc-i440fx-7.2"
  std::string alias;  // "pc", or empty
  bool is_default = false;
  int max_cpus = 1;
  bool deprecated = false;
};

struct CpuModel {
  std::string name;                               // "qemu64", "EPYC-v1"
  std::vector<std::string> unavailable_features;  // why it is not runnable here; empty: runnable
};

struct Capabilities {
  std::string binary;  // absolute path of the emulator
  std::string arch;    // "x86_64", "i686": libvirt's names
  int version_major = 0, version_minor = 0, version_micro = 0;
  std::string package;   // the distribution's version text; may be empty
  bool kvm = false;      // QEMU was built with KVM and /dev/kvm can be opened
  bool sandbox = false;  // built with seccomp: -sandbox is known
  bool spice = false;    // built with SPICE: -spice is known
  std::vector<Machine> machines;
  std::vector<CpuModel> cpus;

  // By name or alias; nullptr if this binary has no such machine.
  const Machine* find_machine(std::string_view name) const;
  // "pc" → "pc-i440fx-7.2"; a name that is no alias comes back as it is; "" gives the default machine.
  std::string canonical_machine(std::string_view name) const;
  // As libvirt numbers versions: major * 1,000,000 + minor * 1,000 + micro.
  unsigned long version_number() const;
};

}  // namespace vireo::qemu
