// Frames cut from a stream that comes in any pieces, and the lengths that break it.
#include "doors/libvirt/frame.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vireo::doors::libvirt {
namespace {

const Header header{.program = 0x20008086, .version = 1, .procedure = 23, .type = Type::call, .serial = 7};

void feed(FrameReader& reader, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    auto space = reader.space();
    const auto size = std::min(space.size(), bytes.size());
    std::ranges::copy(bytes.first(size), space.begin());
    reader.received(size);
    bytes = bytes.subspan(size);
  }
}

Bytes some_bytes(std::size_t size) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 31);
  return out;
}

void set_length(Bytes& frame, std::uint32_t length) {
  for (int i = 0; i < 4; ++i) frame[static_cast<std::size_t>(i)] = static_cast<std::byte>(length >> (24 - 8 * i));
}

TEST(Frame, IsReadAsItWasMade) {
  const auto payload = some_bytes(12);
  FrameReader reader;
  feed(reader, make_frame(header, payload));
  auto frame = reader.next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->header.program, 0x20008086u);
  EXPECT_EQ(frame->header.version, 1u);
  EXPECT_EQ(frame->header.procedure, 23);
  EXPECT_EQ(frame->header.type, Type::call);
  EXPECT_EQ(frame->header.serial, 7u);
  EXPECT_EQ(frame->header.status, Status::ok);
  EXPECT_TRUE(std::ranges::equal(frame->payload, payload));
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.broken());
}

TEST(Frame, MayComeByteByByte) {
  const auto bytes = make_frame(header, some_bytes(40));
  FrameReader reader;
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    feed(reader, std::span(bytes).subspan(i, 1));
    ASSERT_FALSE(reader.next()) << i;
  }
  feed(reader, std::span(bytes).last(1));
  EXPECT_TRUE(reader.next());
}

TEST(Frame, ManyMayComeAtOnceAndTheLastInPart) {
  Bytes stream;
  for (std::uint32_t serial = 0; serial < 300; ++serial) {
    Header h = header;
    h.serial = serial;
    const auto frame = make_frame(h, some_bytes(serial));
    stream.insert(stream.end(), frame.begin(), frame.end());
  }
  FrameReader reader;
  std::uint32_t seen = 0;
  for (std::size_t at = 0; at < stream.size(); at += 1000) {
    feed(reader, std::span(stream).subspan(at, std::min<std::size_t>(1000, stream.size() - at)));
    while (auto frame = reader.next()) {
      EXPECT_EQ(frame->header.serial, seen);
      EXPECT_TRUE(std::ranges::equal(frame->payload, some_bytes(seen)));
      ++seen;
    }
  }
  EXPECT_EQ(seen, 300u);
}

TEST(Frame, OfTheLongestLengthIsReadAndOneByteMoreBreaks) {
  FrameReader reader;
  feed(reader, make_frame(header, Bytes(payload_max)));
  auto frame = reader.next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->payload.size(), payload_max);

  auto longer = make_frame(header, {});
  set_length(longer, frame_max + 1);
  feed(reader, longer);
  EXPECT_FALSE(reader.next());
  EXPECT_TRUE(reader.broken());
}

TEST(Frame, ShorterThanItsHeaderBreaks) {
  for (std::uint32_t length : {0u, 4u, 27u}) {
    auto bytes = make_frame(header, {});
    set_length(bytes, length);
    FrameReader reader;
    feed(reader, bytes);
    EXPECT_FALSE(reader.next());
    EXPECT_TRUE(reader.broken()) << length;
  }
}

TEST(Frame, LengthAloneTakesNoMemory) {
  auto bytes = make_frame(header, {});
  set_length(bytes, frame_max);
  FrameReader reader;
  feed(reader, bytes);
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.broken());
  EXPECT_LE(reader.capacity(), 4096u);
}

TEST(Frame, BufferOfALongOneIsGivenBack) {
  FrameReader reader;
  feed(reader, make_frame(header, Bytes(1 << 20)));
  ASSERT_TRUE(reader.next());
  reader.space();
  EXPECT_LE(reader.capacity(), 4096u);
}

}  // namespace
}  // namespace vireo::doors::libvirt
