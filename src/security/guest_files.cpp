// Disks first: their errors are libvirt's own.
#include "security/guest_files.hpp"

#include <fmt/format.h>

#include <fstream>

namespace vireo::security {

namespace {

using Use = GuestFile::Use;

void add_source(std::vector<GuestFile>& files, const model::CharSource& source, std::string role) {
  if (source.path.empty()) return;
  if (source.backend == model::CharBackend::file)
    files.push_back({.path = source.path, .role = std::move(role), .use = Use::Write, .may_create = true});
  else if (source.backend == model::CharBackend::unix_socket && source.mode == model::SocketMode::connect)
    files.push_back({.path = source.path, .role = std::move(role), .use = Use::Write});
}

constexpr std::size_t kHeader = 64UL * 1024;  // within which an image names the one behind it
constexpr std::size_t kLongestChain = 200;    // far more than QEMU goes through

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string backing_of(const std::string& image) {
  std::string header(kHeader, '\0');
  std::ifstream in(image, std::ios::binary);
  in.read(header.data(), static_cast<std::streamsize>(header.size()));
  header.resize(static_cast<std::size_t>(in.gcount()));
  auto name = backing_in(header);
  if (name.empty() || name.starts_with('/')) return name;
  return image.substr(0, image.rfind('/') + 1) + name;
}

}  // namespace

std::string backing_in(std::string_view header) {
  constexpr std::size_t kOffsetAt = 8, kSizeAt = 16, kFixed = 20;
  if (header.size() < kFixed || !header.starts_with("QFI\xfb")) return {};
  const auto offset = big_endian(header.substr(kOffsetAt, 8)), size = big_endian(header.substr(kSizeAt, 4));
  if (offset == 0 || size == 0 || offset > header.size() || size > header.size() - offset) return {};
  std::string name(header.substr(offset, size));
  if (name.starts_with("file:")) name.erase(0, 5);
  // What is no file of this host: a network's, or a description in JSON.
  const auto colon = name.find(':');
  if (colon != std::string::npos && colon < name.find('/')) return {};
  return name;
}

std::vector<GuestFile> guest_files_and_backing(const model::DomainDef& guest) {
  auto files = guest_files(guest);
  for (const auto& disk : guest.devices.disks) {
    if (disk.file.empty() || disk.no_backing || disk.driver.format != model::ImageFormat::qcow2) continue;
    auto image = backing_of(disk.file);
    for (std::size_t depth = 0; !image.empty() && depth < kLongestChain; ++depth) {
      files.push_back({.path = image, .role = fmt::format("backing file of disk {}", disk.target)});
      image = backing_of(image);
    }
  }
  return files;
}

std::vector<GuestFile> guest_files(const model::DomainDef& guest) {
  std::vector<GuestFile> files;
  const auto& devices = guest.devices;
  for (const auto& disk : devices.disks)
    if (!disk.file.empty())
      files.push_back({.path = disk.file,
                       .role = "disk " + disk.target,
                       .use = disk.readonly || disk.kind == model::DiskKind::cdrom ? Use::Read : Use::Write,
                       .labelled = true,
                       .shared = disk.shareable,
                       .labels = disk.seclabels});
  if (!guest.os.kernel.empty())
    files.push_back({.path = guest.os.kernel, .role = "kernel", .labelled = true, .must_exist = false});
  if (!guest.os.initrd.empty())
    files.push_back({.path = guest.os.initrd, .role = "initrd", .labelled = true, .must_exist = false});
  if (!devices.emulator.empty()) files.push_back({.path = devices.emulator, .role = "emulator", .use = Use::Execute});
  for (const auto& rng : devices.rngs)
    if (!rng.file.empty()) files.push_back({.path = rng.file, .role = "random numbers"});
  for (std::size_t i = 0; i < devices.serials.size(); ++i)
    add_source(files, devices.serials[i].source, fmt::format("serial {}", i));
  for (std::size_t i = 0; i < devices.consoles.size(); ++i)
    if (devices.consoles[i].target == model::ConsoleTarget::virtio)
      add_source(files, devices.consoles[i].source, fmt::format("console {}", i));
  for (const auto& channel : devices.channels) add_source(files, channel.source, "channel " + channel.name);
  return files;
}

}  // namespace vireo::security
