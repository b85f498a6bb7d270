// The file's own sizes, and the one number that is wanted of a qcow2 header.
#include "host/image_sizes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "base/fd.hpp"

namespace vireo::host {
namespace {

// docs/interop/qcow2.txt of QEMU: numbers are big-endian; the magic at 0, the virtual size in bytes at 24.
constexpr std::array<unsigned char, 4> kMagic{'Q', 'F', 'I', 0xfb};
constexpr std::size_t kSizeAt = 24;

std::optional<std::uint64_t> qcow2_capacity(int fd) {
  std::array<unsigned char, kSizeAt + 8> header{};
  if (::pread(fd, header.data(), header.size(), 0) != static_cast<ssize_t>(header.size())) return std::nullopt;
  if (!std::equal(kMagic.begin(), kMagic.end(), header.begin())) return std::nullopt;
  std::uint64_t bytes = 0;
  for (std::size_t i = kSizeAt; i < header.size(); ++i) bytes = bytes << 8 | header[i];
  return bytes;
}

}  // namespace

Result<model::ImageSizes> image_sizes(const std::string& file, model::ImageFormat format) {
  // Not blocking: a pipe that nobody writes to is no image, and must not hold anybody up.
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return fail_errno(errno, "Failed to open file '" + file + "'");
  struct stat facts{};
  if (::fstat(fd.get(), &facts) != 0) return fail_errno(errno, "cannot stat file '" + file + "'");
  model::ImageSizes sizes;
  if (S_ISREG(facts.st_mode)) {
    constexpr std::uint64_t bytes_per_block = 512;  // stat(3type): st_blocks
    sizes.physical_bytes = static_cast<std::uint64_t>(facts.st_size);
    sizes.allocation_bytes = static_cast<std::uint64_t>(facts.st_blocks) * bytes_per_block;
  } else {
    // A block device is taken whole, and its end is where one gets by seeking.
    const auto end = ::lseek(fd.get(), 0, SEEK_END);
    if (end < 0) return fail_errno(errno, "failed to seek to end of '" + file + "'");
    sizes.physical_bytes = sizes.allocation_bytes = static_cast<std::uint64_t>(end);
  }
  sizes.capacity_bytes = sizes.physical_bytes;
  if (format == model::ImageFormat::qcow2)
    if (const auto told = qcow2_capacity(fd.get())) sizes.capacity_bytes = *told;
  return sizes;
}

}  // namespace vireo::host
