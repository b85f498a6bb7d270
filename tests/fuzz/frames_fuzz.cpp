// A client's bytes with anything in them: cutting them into frames, and decoding every structure that the protocol
// lets a client send. The first byte chooses how the bytes arrive; frames are the same however they do.
#include "doors/libvirt/error_reply.hpp"
#include "doors/libvirt/frame.hpp"
#include "doors/libvirt/procedure.hpp"
#include "tests/fuzz/codec.hpp"

using namespace vireo;
using namespace vireo::doors::libvirt;
using fuzz::expect;

namespace {

struct Cut {
  std::vector<std::pair<Header, Bytes>> frames;
  bool broken = false;
};

Cut cut(std::span<const std::byte> stream, std::size_t piece) {
  FrameReader reader;
  Cut out;
  const auto size = stream.size();
  while (!stream.empty() && !reader.broken()) {
    const auto space = reader.space();
    expect(!space.empty(), "there is room for the next bytes");
    const auto count = std::min({space.size(), stream.size(), piece});
    std::copy_n(stream.begin(), count, space.begin());
    reader.received(count);
    stream = stream.subspan(count);
    while (auto frame = reader.next())
      out.frames.emplace_back(frame->header, Bytes(frame->payload.begin(), frame->payload.end()));
    expect(reader.capacity() <= std::max<std::size_t>(4096, 4 * size), "no more is held than has come");
  }
  out.broken = reader.broken();
  return out;
}

void check_frame(const Header& header, const Bytes& payload) {
  static const fuzz::Codecs codecs = fuzz::all_codecs();
  const auto framed = make_frame(header, payload);
  const auto again = cut(framed, framed.size());
  expect(again.frames.size() == 1 && again.frames.front().second == payload, "a frame survives being made and read");
  if (const auto* row = find_procedure(header.program, header.procedure); row && !row->args.empty()) {
    const auto found = codecs.find(row->args);
    expect(found != codecs.end(), "every argument structure has its codec");
    found->second(payload);
  }
  // An error with any text in it, and what a client would make of it.
  fuzz::round_trip<wire::remote_error>(payload);
  const Error error{.code = header.procedure,
                    .detail = {reinterpret_cast<const char*>(payload.data()), payload.size()}};
  const auto told = xdr::decode<wire::remote_error>(encode_error(error));
  expect(told.has_value() && told->code == error.code, "a client can read every error");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto stream = std::as_bytes(std::span(data + 1, size - 1));
  const auto whole = cut(stream, std::max<std::size_t>(1, stream.size()));
  const auto pieces = cut(stream, 1 + data[0]);
  expect(whole.broken == pieces.broken && whole.frames.size() == pieces.frames.size(),
         "frames do not depend on how they are cut");
  for (std::size_t i = 0; i < whole.frames.size(); ++i) {
    const auto& [header, payload] = whole.frames[i];
    expect(pieces.frames[i].second == payload, "payloads do not depend on how they are cut");
    check_frame(header, payload);
  }
  return 0;
}
