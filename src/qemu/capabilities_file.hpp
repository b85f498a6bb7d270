// What a probe found, kept on disk until the binary changes. Blocks on the file system only (a worker calls it).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "qemu/capabilities.hpp"
#include "qemu/spawn.hpp"

namespace vireo::qemu {

// Which state of a binary, and of the host's KVM, was probed.
struct BinaryStamp {
  std::string path;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;  // the inode's own change time: moves even when the modification time is set back
  std::uint64_t inode = 0;
  bool kvm_usable = false;

  bool operator==(const BinaryStamp&) const = default;
};

// Errors: as check_executable() gives them.
Result<BinaryStamp> stamp_of(const std::string& path, const ExecOptions& exec);

// Where the capabilities of that binary are kept below the cache folder.
std::string capabilities_file_path(const std::string& cache_dir, const std::string& binary);

// Empty when there is no such file, when it does not read well, or when it tells of another state of the binary.
std::optional<Capabilities> load_capabilities(const std::string& cache_dir, const BinaryStamp& stamp);

// Replaces the file in one step. A cache that cannot be written costs a probe at the next start, so that is only
// logged.
void save_capabilities(const std::string& cache_dir, const BinaryStamp& stamp, const Capabilities& capabilities);

}  // namespace vireo::qemu
