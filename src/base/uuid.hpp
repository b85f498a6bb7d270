// A guest's UUID: sixteen bytes, written in the usual 8-4-4-4-12 form. Pure.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace vireo {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  auto operator<=>(const Uuid&) const = default;

  // Lower case, with dashes.
  std::string text() const;
  // As libvirt reads one: hex digits, dashes anywhere between bytes and white space around it are ignored.
  static std::optional<Uuid> parse(std::string_view text);
  // A random UUID of version 4 (RFC 4122) from the kernel's generator.
  static Uuid random();
};

}  // namespace vireo

template <>
struct std::hash<vireo::Uuid> {
  std::size_t operator()(const vireo::Uuid& u) const noexcept {
    // UUIDs are mostly random already; folding the halves is enough.
    std::uint64_t a = 0, b = 0;
    std::memcpy(&a, u.bytes.data(), 8);
    std::memcpy(&b, u.bytes.data() + 8, 8);
    return static_cast<std::size_t>((a ^ (b * 0x9E3779B97F4A7C15ULL)) * 0xBF58476D1CE4E5B9ULL);
  }
};
