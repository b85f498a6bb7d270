// How an input of the session's fuzzer tells a conversation: one byte of options, then records, each of which becomes
// one frame with a right length and serial. So nearly every input gets past the framing, which has its own fuzzer.
//
//   kind (1 byte)   bits 0-1: program (remote, qemu, keepalive, none that exists); bits 2-4: type, where 7 means that
//                   the payload stands for itself, without a header; bits 5-6: status; bit 7: let everything under way
//                   come to its end before the next record
//   procedure       2 bytes, little endian
//   payload size    2 bytes, little endian; then the payload, as much of it as there is
#pragma once

#include <algorithm>
#include <span>

#include "doors/libvirt/frame.hpp"
#include "doors/libvirt/procedure.hpp"

namespace vireo::fuzz {

class SessionScript {
 public:
  struct Step {
    doors::libvirt::Bytes bytes;
    bool settle = false;
  };

  SessionScript(const std::uint8_t* data, std::size_t size) : left_(std::as_bytes(std::span(data, size))) {
    options_ = byte();
  }

  bool read_only() const { return (options_ & 1) != 0; }
  // The conversation brings its own greeting.
  bool greets_itself() const { return (options_ & 2) != 0; }
  bool opens_test() const { return (options_ & 4) == 0; }

  bool more() const { return !left_.empty(); }
  Step next() {
    using namespace doors::libvirt;
    static constexpr std::uint32_t programs[] = {proc::remote_program, proc::qemu_program, proc::keepalive_program, 7};
    const auto kind = byte();
    const auto program = programs[kind & 3];
    const auto procedure = number();
    const auto payload = left_.first(std::min<std::size_t>(number(), left_.size()));
    left_ = left_.subspan(payload.size());
    const bool settle = (kind & 0x80) != 0;
    const auto type = static_cast<Type>(kind >> 2 & 7);
    if ((kind >> 2 & 7) == 7) return {Bytes(payload.begin(), payload.end()), settle};
    // A stream's packets carry the serial of the call that opened it.
    if (type == Type::call || type == Type::call_with_fds) ++serial_;
    return {make_frame({.program = program,
                        .version = 1,
                        .procedure = static_cast<std::int32_t>(procedure % 512),
                        .type = type,
                        .serial = serial_,
                        .status = static_cast<Status>(kind >> 5 & 3)},
                       payload),
            settle};
  }

 private:
  std::uint8_t byte() {
    if (left_.empty()) return 0;
    const auto first = std::to_integer<std::uint8_t>(left_.front());
    left_ = left_.subspan(1);
    return first;
  }
  unsigned number() {
    const unsigned low = byte();
    return low | static_cast<unsigned>(byte()) << 8;
  }

  std::span<const std::byte> left_;
  std::uint8_t options_ = 0;
  std::uint32_t serial_ = 100;
};

}  // namespace vireo::fuzz
