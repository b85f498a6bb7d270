// How messages stand in a stream of bytes: a header of four words in the machine's own byte order, then the payload.
// Pure.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "doors/xenstore/wire.hpp"

namespace vireo::doors::xenstore {

struct Header {
  std::uint32_t type = 0;  // an Operation
  std::uint32_t request = 0;
  std::uint32_t transaction = 0;  // 0: in none
  std::uint32_t length = 0;       // of the payload
};
static_assert(sizeof(Header) == 16);

// What is at the beginning of some bytes.
enum class Front : std::uint8_t {
  part,      // of a message: more must come
  whole,     // a message
  too_long,  // a header that promises more than a payload may have
};

inline Front look(std::string_view bytes, Header& header) {
  if (bytes.size() < sizeof header) return Front::part;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.length > max_payload) return Front::too_long;
  return bytes.size() - sizeof header < header.length ? Front::part : Front::whole;
}

}  // namespace vireo::doors::xenstore
