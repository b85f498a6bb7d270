// The types that the protocol's structures are made of where the standard library has none: arrays and byte strings
// that carry the protocol's upper bound in their type, so that the codec decodes each with the right limit. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace vireo::doors::libvirt::xdr {

// Longest string on the wire (REMOTE_STRING_MAX), in bytes.
inline constexpr std::size_t string_max = 4194304;

// A variable-length array of at most Max elements. Used like the vector that it is.
template <class T, std::size_t Max>
struct List : std::vector<T> {
  using std::vector<T>::vector;
  List(std::vector<T> v) : std::vector<T>(std::move(v)) {}  // NOLINT(google-explicit-constructor): a list is a vector
  static constexpr std::size_t max = Max;
};

// A byte string ("opaque<>") of at most Max bytes.
template <std::size_t Max>
struct Opaque : std::vector<std::byte> {
  using std::vector<std::byte>::vector;
  Opaque(std::vector<std::byte> v) : std::vector<std::byte>(std::move(v)) {}  // NOLINT(google-explicit-constructor)
  static constexpr std::size_t max = Max;
};

}  // namespace vireo::doors::libvirt::xdr
