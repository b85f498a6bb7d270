// Where a device sits in its guest, and what every device has besides: its alias and its place in the boot order.
// Plain values.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <variant>

namespace vireo::model {

struct PciAddress {
  unsigned domain = 0, bus = 0, slot = 0, function = 0;
  // Said, or needed, for function 0 of a slot that holds more than one function.
  std::optional<bool> multifunction = std::nullopt;

  bool operator==(const PciAddress&) const = default;
};

// A disk's place on an IDE, SATA or SCSI controller.
struct DriveAddress {
  unsigned controller = 0, bus = 0, target = 0, unit = 0;

  auto operator<=>(const DriveAddress&) const = default;
};

struct UsbAddress {
  unsigned bus = 0;
  std::string port;  // "1", or "1.2" behind a hub

  auto operator<=>(const UsbAddress&) const = default;
};

struct VirtioSerialAddress {
  unsigned controller = 0, bus = 0, port = 0;

  auto operator<=>(const VirtioSerialAddress&) const = default;
};

// A device on the ISA bus. 0: the device's own default.
struct IsaAddress {
  unsigned iobase = 0, irq = 0;

  bool operator==(const IsaAddress&) const = default;
};

using Address = std::variant<std::monostate, PciAddress, DriveAddress, UsbAddress, VirtioSerialAddress, IsaAddress>;

struct DeviceInfo {
  // Names beginning with "ua-" are the user's and are kept; all others are given at start and belong to the live
  // definition only.
  std::string alias;
  Address address;
  std::optional<unsigned> boot_order;

  bool has_address() const { return !std::holds_alternative<std::monostate>(address); }
  bool operator==(const DeviceInfo&) const = default;
};

}  // namespace vireo::model
