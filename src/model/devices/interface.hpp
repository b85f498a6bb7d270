// Network interfaces: for now those whose traffic QEMU itself forwards (type "user"). Plain values.
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

struct Interface {
  std::optional<MacAddress> mac;
  std::string target;  // a host device's name; means nothing to type "user", but is kept
  std::string model;   // "virtio", "e1000", "rtl8139", …
  LinkState link = LinkState::unset;
  DeviceInfo info;

  bool operator==(const Interface&) const = default;
};

}  // namespace vireo::model
