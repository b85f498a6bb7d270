// Disks: for each image a storage node (the file) and a format node above it, and the device that shows it to the
// guest. Node names are libvirt's (libvirt-N-format), N being the image's number in the live definition.
#include "qemu/argv.hpp"
#include "qemu/argv_words.hpp"
#include "qemu/complete.hpp"

namespace vireo::qemu {
namespace {

using namespace model;

struct CacheFlags {
  bool write_back, direct, no_flush;
};

std::optional<CacheFlags> cache_flags(const Disk& disk) {
  // Guests that share an image must not each keep their own idea of it in the host's cache.
  if (disk.shareable && disk.driver.cache == DiskCache::unset) return CacheFlags{true, true, false};
  switch (disk.driver.cache) {
    case DiskCache::none:
      return CacheFlags{true, true, false};
    case DiskCache::writethrough:
      return CacheFlags{false, false, false};
    case DiskCache::writeback:
      return CacheFlags{true, false, false};
    case DiskCache::directsync:
      return CacheFlags{false, true, false};
    case DiskCache::unsafe:
      return CacheFlags{true, false, true};
    case DiskCache::unset:
    case DiskCache::standard:
      break;
  }
  return std::nullopt;
}

void add_image(std::vector<std::string>& argv, const Disk& disk) {
  const auto cache = cache_flags(disk);
  boost::json::object storage{{"driver", "file"}, {"filename", disk.file}};
  if (disk.driver.io != DiskIo::unset) storage["aio"] = name_of(disk.driver.io);
  storage["node-name"] = fmt::format("libvirt-{}-storage", disk.index);
  if (cache) storage["cache"] = {{"direct", cache->direct}, {"no-flush", cache->no_flush}};
  storage["auto-read-only"] = true;
  storage["discard"] = "unmap";
  add_json(argv, "-blockdev", storage);

  boost::json::object format{{"node-name", fmt::format("libvirt-{}-format", disk.index)}, {"read-only", disk.readonly}};
  if (disk.driver.discard != DiskDiscard::unset) format["discard"] = name_of(disk.driver.discard);
  if (disk.driver.detect_zeroes != DetectZeroes::unset) {
    // "unmap" asks for a discard that was not allowed: then QEMU wants plain "on".
    const bool plain = disk.driver.detect_zeroes == DetectZeroes::unmap && disk.driver.discard != DiskDiscard::unmap;
    format["detect-zeroes"] = plain ? "on" : name_of(disk.driver.detect_zeroes);
  }
  if (cache) format["cache"] = {{"direct", cache->direct}, {"no-flush", cache->no_flush}};
  format["driver"] = name_of(disk.driver.format);
  format["file"] = fmt::format("libvirt-{}-storage", disk.index);
  if (disk.no_backing && disk.driver.format == ImageFormat::qcow2) format["backing"] = nullptr;
  add_json(argv, "-blockdev", format);
}

// "enospace" is about writes only.
const char* write_policy(DiskErrorPolicy policy) {
  switch (policy) {
    case DiskErrorPolicy::stop:
      return "stop";
    case DiskErrorPolicy::report:
      return "report";
    case DiskErrorPolicy::ignore:
      return "ignore";
    case DiskErrorPolicy::enospace:
      return "enospc";
    case DiskErrorPolicy::unset:
      break;
  }
  return nullptr;
}

bool is_builtin_sata(const DomainDef& live, unsigned controller) { return is_q35(live) && controller == 0; }

boost::json::object plug(const Disk& disk, const DomainDef& live) {
  const bool cdrom = disk.kind == DiskKind::cdrom;
  boost::json::object device;
  const auto* drive = std::get_if<DriveAddress>(&disk.info.address);
  if (drive == nullptr) {
    device["driver"] = "virtio-blk-pci";
    plug_pci(device, live, disk.info);
    return device;
  }
  if (disk.bus == DiskBus::scsi) {
    const std::string controller = controller_name(live, ControllerType::scsi, drive->controller);
    device["driver"] = cdrom ? "scsi-cd" : "scsi-hd";
    device["bus"] = controller + ".0";
    bool is_lsi = false;
    for (const Controller& c : live.devices.controllers)
      if (c.type == ControllerType::scsi && c.index == drive->controller) is_lsi = c.model == "lsilogic";
    if (is_lsi) {
      device["scsi-id"] = drive->unit;
    } else {
      device["channel"] = 0;
      device["scsi-id"] = drive->target;
      device["lun"] = drive->unit;
    }
    device["device_id"] = "drive-" + disk.info.alias;
    return device;
  }
  device["driver"] = cdrom ? "ide-cd" : "ide-hd";
  if (disk.bus == DiskBus::ide) {
    device["bus"] = fmt::format("ide.{}", drive->bus);
    device["unit"] = drive->unit;
  } else {
    // The controller that Q35 brings along is QEMU's "ide"; each of its ports is a bus.
    const std::string controller = is_builtin_sata(live, drive->controller)
                                       ? "ide"
                                       : controller_name(live, ControllerType::sata, drive->controller);
    device["bus"] = fmt::format("{}.{}", controller, drive->unit);
  }
  return device;
}

}  // namespace

void add_disks(std::vector<std::string>& argv, const DomainDef& live) {
  const BootIndexes boot = boot_indexes(live);
  for (std::size_t i = 0; i < live.devices.disks.size(); ++i) {
    const Disk& disk = live.devices.disks[i];
    if (!disk.file.empty()) add_image(argv, disk);
    boost::json::object device = plug(disk, live);
    if (disk.shareable) device["share-rw"] = true;
    if (!disk.file.empty()) device["drive"] = fmt::format("libvirt-{}-format", disk.index);
    device["id"] = disk.info.alias;
    if (boot.disks[i] != 0) device["bootindex"] = boot.disks[i];
    if (const auto cache = cache_flags(disk); cache && disk.kind == DiskKind::disk)
      device["write-cache"] = cache->write_back ? "on" : "off";
    if (!disk.serial.empty()) device["serial"] = disk.serial;
    const auto read_policy = disk.driver.read_error_policy != DiskErrorPolicy::unset ? disk.driver.read_error_policy
                                                                                     : disk.driver.error_policy;
    if (const char* const policy = write_policy(disk.driver.error_policy)) device["werror"] = policy;
    if (read_policy != DiskErrorPolicy::enospace)
      if (const char* const policy = write_policy(read_policy)) device["rerror"] = policy;
    add_json(argv, "-device", device);
  }
}

}  // namespace vireo::qemu
