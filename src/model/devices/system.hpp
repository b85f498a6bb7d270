// The devices that a guest's other devices and its own running rest on: controllers, the memory balloon, random number
// generators and the one that reports a crashed kernel. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "model/devices/address.hpp"
#include "model/names.hpp"

namespace vireo::model {

enum class ControllerType { ide, scsi, sata, virtio_serial, usb, pci };
template <>
inline constexpr auto names_of<ControllerType> =
    std::to_array<std::string_view>({"ide", "scsi", "sata", "virtio-serial", "usb", "pci"});

struct Controller {
  ControllerType type = ControllerType::pci;
  std::optional<unsigned> index;
  std::string model;                // "piix3-uhci", "pcie-root-port", "virtio-scsi", …
  std::optional<unsigned> ports;    // usb (xhci) and virtio-serial
  std::optional<unsigned> vectors;  // virtio-serial
  // PCI bridges only: QEMU's device for the model, and what it is told.
  std::string model_name;  // "pcie-root-port", "pci-bridge", …
  std::optional<unsigned> chassis, chassis_nr, port;
  DeviceInfo info;

  bool operator==(const Controller&) const = default;
};

enum class BalloonModel { virtio, none };
template <>
inline constexpr auto names_of<BalloonModel> = std::to_array<std::string_view>({"virtio", "none"});

struct MemBalloon {
  BalloonModel model = BalloonModel::virtio;
  std::optional<bool> autodeflate;
  std::optional<bool> free_page_reporting;
  std::optional<unsigned> stats_period_s;
  DeviceInfo info;

  bool operator==(const MemBalloon&) const = default;
};

// A virtio random number generator fed from a file of the host.
struct Rng {
  std::optional<std::uint64_t> rate_bytes;
  std::optional<std::uint64_t> rate_period_ms;
  std::string file;  // "/dev/urandom"
  DeviceInfo info;

  bool operator==(const Rng&) const = default;
};

enum class PanicModel { unset, isa };
template <>
inline constexpr auto names_of<PanicModel> = std::to_array<std::string_view>({"", "isa"});

// Through this a guest's kernel tells that it has crashed.
struct Panic {
  PanicModel model = PanicModel::unset;
  DeviceInfo info;

  bool operator==(const Panic&) const = default;
};

}  // namespace vireo::model
