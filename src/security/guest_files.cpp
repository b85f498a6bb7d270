// Disks first: their errors are libvirt's own.
#include "security/guest_files.hpp"

#include <fmt/format.h>

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

}  // namespace

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
