// Frames: what stands around every message. A frame is a 4-byte big-endian length that counts itself, a header of six
// 4-byte words, and a payload. FrameReader cuts a byte stream into frames and never holds more than the bytes that
// have come. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vireo::doors::libvirt {

using Bytes = std::vector<std::byte>;

enum class Type : std::int32_t {
  call = 0,
  reply = 1,
  message = 2,  // an event, or a keepalive
  stream = 3,
  call_with_fds = 4,
  reply_with_fds = 5,
  stream_hole = 6,
};

enum class Status : std::int32_t { ok = 0, error = 1, more = 2 };

struct Header {
  std::uint32_t program = 0;
  std::uint32_t version = 0;
  std::int32_t procedure = 0;
  Type type = Type::call;
  std::uint32_t serial = 0;
  Status status = Status::ok;
};

inline constexpr std::uint32_t protocol_version = 1;  // of every program

inline constexpr std::size_t frame_min = 28;            // the length and the header
inline constexpr std::size_t frame_max = 4 + 33554432;  // with the length itself
inline constexpr std::size_t payload_max = frame_max - frame_min;
// What one stream packet carries at most, as libvirt sends them.
inline constexpr std::size_t stream_packet_max = 262120;

// A whole frame, ready to send. The payload is at most payload_max bytes.
Bytes make_frame(const Header& header, std::span<const std::byte> payload);

// A frame as it lies in the reader's buffer: valid until the next call of the reader.
struct Frame {
  Header header;
  std::span<const std::byte> payload;
};

class FrameReader {
 public:
  // Where the next bytes from the socket go: at least one byte.
  std::span<std::byte> space();
  void received(std::size_t bytes) { end_ += bytes; }

  // The next whole frame; nullopt: more bytes are needed, or the stream is broken.
  std::optional<Frame> next();
  // A length below the header's or above the limit was seen: nothing after it can be understood.
  bool broken() const { return broken_; }
  // It was above.
  bool oversize() const { return oversize_; }
  // Part of a frame has come.
  bool in_frame() const { return begin_ != end_; }
  std::size_t capacity() const { return buffer_.size(); }

 private:
  Bytes buffer_;
  std::size_t begin_ = 0, end_ = 0;
  bool broken_ = false, oversize_ = false;
};

}  // namespace vireo::doors::libvirt
