// Cutting and building frames.
#include "doors/libvirt/frame.hpp"

#include <algorithm>
#include <cstring>

namespace vireo::doors::libvirt {
namespace {

constexpr std::size_t first_buffer = 4096;

std::uint32_t word_at(const std::byte* at) {
  std::uint32_t big = 0;
  std::memcpy(&big, at, sizeof big);
  return __builtin_bswap32(big);
}

void put_word(std::byte* at, std::uint32_t value) {
  const std::uint32_t big = __builtin_bswap32(value);
  std::memcpy(at, &big, sizeof big);
}

}  // namespace

Bytes make_frame(const Header& header, std::span<const std::byte> payload) {
  Bytes out(frame_min + payload.size());
  put_word(&out[0], static_cast<std::uint32_t>(out.size()));
  put_word(&out[4], header.program);
  put_word(&out[8], header.version);
  put_word(&out[12], static_cast<std::uint32_t>(header.procedure));
  put_word(&out[16], static_cast<std::uint32_t>(header.type));
  put_word(&out[20], header.serial);
  put_word(&out[24], static_cast<std::uint32_t>(header.status));
  std::ranges::copy(payload, out.begin() + frame_min);
  return out;
}

std::span<std::byte> FrameReader::space() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    // A buffer that one large frame has grown is not kept for the small ones after it.
    if (buffer_.size() > first_buffer) buffer_ = Bytes(first_buffer);
  } else if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // Doubling on arrival, not on the word of the length field.
  if (end_ == buffer_.size()) buffer_.resize(std::max(first_buffer, buffer_.size() * 2));
  return std::span(buffer_).subspan(end_);
}

std::optional<Frame> FrameReader::next() {
  if (broken_ || end_ - begin_ < 4) return std::nullopt;
  const std::byte* at = buffer_.data() + begin_;
  const std::size_t length = word_at(at);
  if (length < frame_min || length > frame_max) {
    broken_ = true;
    oversize_ = length > frame_max;
    return std::nullopt;
  }
  if (end_ - begin_ < length) return std::nullopt;
  begin_ += length;
  return Frame{.header = {.program = word_at(at + 4),
                          .version = word_at(at + 8),
                          .procedure = static_cast<std::int32_t>(word_at(at + 12)),
                          .type = static_cast<Type>(word_at(at + 16)),
                          .serial = word_at(at + 20),
                          .status = static_cast<Status>(word_at(at + 24))},
               .payload = std::span(at + frame_min, length - frame_min)};
}

}  // namespace vireo::doors::libvirt
