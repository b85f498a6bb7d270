// Network interfaces: those whose traffic QEMU itself forwards (type "user"), and those behind a TAP device of the host
// (types "ethernet" and "bridge"). Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "model/devices/address.hpp"
#include "model/names.hpp"

namespace vireo::model {

struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  std::string text() const;  // "52:54:00:12:34:56"
  static std::optional<MacAddress> parse(std::string_view text);
  bool is_multicast() const { return (bytes[0] & 1) != 0; }
  auto operator<=>(const MacAddress&) const = default;
};

enum class LinkState { unset, up, down };
template <>
inline constexpr auto names_of<LinkState> = std::to_array<std::string_view>({"", "up", "down"});

enum class InterfaceType { user, ethernet, bridge };
template <>
inline constexpr auto names_of<InterfaceType> = std::to_array<std::string_view>({"user", "ethernet", "bridge"});

struct Interface {
  InterfaceType type = InterfaceType::user;
  std::optional<MacAddress> mac;
  std::string bridge;  // of type "bridge": the host's bridge that the device joins
  // The host's device; empty: it gets a name when the guest starts. Means nothing to type "user", but is kept.
  std::string target;
  std::optional<bool> managed;  // of type "ethernet": false if the device is there already and is left as it is
  std::string model;            // "virtio", "e1000", "rtl8139", …
  LinkState link = LinkState::unset;
  DeviceInfo info;

  bool has_host_device() const { return type != InterfaceType::user; }
  bool operator==(const Interface&) const = default;
};

}  // namespace vireo::model
