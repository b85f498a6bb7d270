// The numbers and names of the xenstore protocol, as Xen publishes them: <xen/io/xs_wire.h>, which wire.cpp compares
// this with, and docs/misc/xenstore.txt for what is newer than that header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vireo::doors::xenstore {

enum class Operation : std::uint32_t {
  control = 0,
  directory = 1,
  read = 2,
  get_perms = 3,
  watch = 4,
  unwatch = 5,
  transaction_start = 6,
  transaction_end = 7,
  introduce = 8,
  release = 9,
  get_domain_path = 10,
  write = 11,
  mkdir = 12,
  rm = 13,
  set_perms = 14,
  watch_event = 15,  // to clients only
  error = 16,        // to clients only
  is_domain_introduced = 17,
  resume = 18,
  set_target = 19,
  reset_watches = 21,
  directory_part = 22,
  get_feature = 23,
  set_feature = 24,
  get_quota = 25,
  set_quota = 26,
};
inline constexpr std::size_t operation_count = 27;  // of numbers; 20 is nobody's any more

// Bytes of a payload, both ways. Who sends more is not understood any further and loses its connection.
inline constexpr std::size_t max_payload = 4096;

// "READ"; of a number that means nothing "?".
std::string_view operation_name(std::uint32_t number);

// "ENOENT", as it stands in an error's payload. The protocol knows 16 of them; whatever else happens is EINVAL.
std::string_view error_name(int error);

// What a server may offer to a domain, as bits (GET_FEATURE). The others concern the ring that Vireo has none of.
inline constexpr std::uint32_t feature_watch_depth = 4;
inline constexpr std::uint32_t all_features = feature_watch_depth;

// What stands for the caller's own domain where an id is expected (DOMID_SELF of xen.h).
inline constexpr std::uint32_t self_domain = 0x7ff0;

}  // namespace vireo::doors::xenstore
