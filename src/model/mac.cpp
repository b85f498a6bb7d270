// Reading and writing MAC addresses.
#include "model/devices/interface.hpp"

#include <charconv>

namespace vireo::model {

std::string MacAddress::text() const {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", bytes[0], bytes[1], bytes[2], bytes[3], bytes[4],
                     bytes[5]);
}

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
  MacAddress mac;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < mac.bytes.size(); ++i) {
    if (i != 0) {
      if (at == end || *at != ':') return std::nullopt;
      ++at;
    }
    const auto [next, status] = std::from_chars(at, end, mac.bytes[i], 16);
    if (status != std::errc{} || next - at > 2) return std::nullopt;
    at = next;
  }
  if (at != end) return std::nullopt;
  return mac;
}

}  // namespace vireo::model
