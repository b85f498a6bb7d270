// How the model's enumerations are spelled. Each enumeration has one table, in the order of its values, with the word
// that libvirt documents for it; XML, error messages and argv all read that table. A value whose word is empty means
// "not said" and is never written. Pure; knows nothing of XML.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace vireo::model {

// Specialised next to each enumeration: names_of<DiskBus> = {"", "ide", …}.
template <class Enum>
inline constexpr std::array<std::string_view, 0> names_of{};

template <class Enum>
constexpr std::string_view name_of(Enum value) {
  return names_of<Enum>[static_cast<std::size_t>(value)];
}

// The value spelled so; nothing if the enumeration has no such word. The empty word is never found.
template <class Enum>
constexpr std::optional<Enum> value_of(std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (std::size_t i = 0; i < names_of<Enum>.size(); ++i)
    if (names_of<Enum>[i] == name) return static_cast<Enum>(i);
  return std::nullopt;
}

}  // namespace vireo::model
