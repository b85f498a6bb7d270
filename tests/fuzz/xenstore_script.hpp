// How an input of the tree's fuzzer tells what clients do: records, each of which becomes a request with a right
// header, so that nearly every input gets past the framing.
//
//   who (1 byte)      bits 0-1: the client; bits 2-3: what it reads afterwards (all, a few bytes, nothing; or it hangs
//                     up and comes again); bit 4: the request comes in two pieces; bit 5: the payload stands for
//                     itself, without a header
//   operation         1 byte
//   transaction       1 byte; a client's transactions are counted from 1 on
//   payload size      2 bytes, little endian; then the payload, as much of it as there is
#pragma once

#include <algorithm>
#include <string_view>

#include "doors/xenstore/frame.hpp"

namespace vireo::fuzz {

class XenstoreScript {
 public:
  enum class Then : std::uint8_t { reads_all, reads_some, reads_nothing, hangs_up };
  struct Step {
    std::size_t client = 0;
    Then then = Then::reads_all;
    bool in_pieces = false, raw = false;
    doors::xenstore::Header header;
    std::string_view payload;
  };

  explicit XenstoreScript(std::string_view input) : left_(input) {}

  bool more() const { return !left_.empty(); }
  Step next() {
    const auto who = byte();
    Step step{.client = who & 3U,
              .then = static_cast<Then>((who >> 2U) & 3U),
              .in_pieces = (who & 16U) != 0,
              .raw = (who & 32U) != 0};
    step.header.type = byte();
    step.header.transaction = byte();
    const std::size_t low = byte(), size = low | (static_cast<std::size_t>(byte()) << 8U);
    step.payload = left_.substr(0, size);
    left_.remove_prefix(step.payload.size());
    step.header.length = static_cast<std::uint32_t>(step.payload.size());
    return step;
  }

 private:
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return byte;
  }

  std::string_view left_;
};

}  // namespace vireo::fuzz
