// Disks: files in the formats raw and qcow2, as hard disks and CD-ROM drives. Plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/devices/address.hpp"
#include "model/names.hpp"
#include "model/seclabel.hpp"

namespace vireo::model {

enum class DiskKind { disk, cdrom };
template <>
inline constexpr auto names_of<DiskKind> = std::to_array<std::string_view>({"disk", "cdrom"});

enum class DiskBus { unset, ide, scsi, sata, virtio };
template <>
inline constexpr auto names_of<DiskBus> = std::to_array<std::string_view>({"", "ide", "scsi", "sata", "virtio"});

enum class ImageFormat { unset, raw, qcow2 };
template <>
inline constexpr auto names_of<ImageFormat> = std::to_array<std::string_view>({"", "raw", "qcow2"});

enum class DiskCache { unset, standard, none, writethrough, writeback, directsync, unsafe };
template <>
inline constexpr auto names_of<DiskCache> =
    std::to_array<std::string_view>({"", "default", "none", "writethrough", "writeback", "directsync", "unsafe"});

enum class DiskErrorPolicy { unset, stop, report, ignore, enospace };
template <>
inline constexpr auto names_of<DiskErrorPolicy> =
    std::to_array<std::string_view>({"", "stop", "report", "ignore", "enospace"});

enum class DiskIo { unset, native, threads, io_uring };
template <>
inline constexpr auto names_of<DiskIo> = std::to_array<std::string_view>({"", "native", "threads", "io_uring"});

enum class DiskDiscard { unset, unmap, ignore };
template <>
inline constexpr auto names_of<DiskDiscard> = std::to_array<std::string_view>({"", "unmap", "ignore"});

enum class DetectZeroes { unset, off, on, unmap };
template <>
inline constexpr auto names_of<DetectZeroes> = std::to_array<std::string_view>({"", "off", "on", "unmap"});

enum class DiskTray { unset, closed, open };
template <>
inline constexpr auto names_of<DiskTray> = std::to_array<std::string_view>({"", "closed", "open"});

struct DiskDriver {
  std::string name;  // "qemu" once complete
  ImageFormat format = ImageFormat::unset;
  DiskCache cache = DiskCache::unset;
  DiskErrorPolicy error_policy = DiskErrorPolicy::unset;
  DiskErrorPolicy read_error_policy = DiskErrorPolicy::unset;
  DiskIo io = DiskIo::unset;
  DiskDiscard discard = DiskDiscard::unset;
  DetectZeroes detect_zeroes = DetectZeroes::unset;

  bool operator==(const DiskDriver&) const = default;
};

struct Disk {
  DiskKind kind = DiskKind::disk;
  DiskDriver driver;
  std::string file;                    // empty: an empty CD-ROM drive
  std::vector<SourceLabel> seclabels;  // of that file
  // Live only: the number of the image in QEMU's block graph (libvirt-N-format); 0 is "not started".
  unsigned index = 0;
  // The image stands alone, and QEMU is told not to look for one behind it (an empty <backingStore/>).
  bool no_backing = false;
  std::string target;  // "vda"
  DiskBus bus = DiskBus::unset;
  DiskTray tray = DiskTray::unset;
  bool readonly = false;
  bool shareable = false;
  std::string serial;
  DeviceInfo info;

  bool operator==(const Disk&) const = default;
};

}  // namespace vireo::model
