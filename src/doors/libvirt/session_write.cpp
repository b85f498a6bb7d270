// A session's writing side: replies, events and stream packets go out in the order in which they were made. A write is
// tried at once; what the socket does not take waits in a queue of bounded size. And the session's end.
#include "base/log.hpp"
#include "doors/libvirt/error_reply.hpp"
#include "doors/libvirt/session.hpp"

namespace vireo::doors::libvirt {
namespace {

// How many frames one write takes along.
constexpr std::size_t gather = 16;

}  // namespace

void Session::reply(const Header& call, Result<Bytes> payload) {
  Header header = call;
  header.type = Type::reply;
  header.status = Status::ok;
  if (payload && payload->size() > payload_max)
    payload = fail_from(VIR_FROM_RPC, VIR_ERR_RPC, "the reply is longer than a message may be");
  if (!payload) {
    header.status = Status::error;
    payload = encode_error(payload.error());
  }
  write(make_frame(header, *payload));
}

void Session::send_event(std::uint32_t program, std::int32_t procedure, Bytes payload) {
  const auto size = payload.size() + frame_min;
  // Counted before the session's thread sees it, so that a busy thread does not hide a flood.
  if (posted_event_bytes_.fetch_add(size) + size > limits_.write_queue_bytes) return close();
  asio::post(executor_, [self = shared_from_this(), program, procedure, size, payload = std::move(payload)] {
    self->posted_event_bytes_ -= size;
    self->write(make_frame({.program = program, .version = 1, .procedure = procedure, .type = Type::message}, payload));
  });
}

void Session::send_stream(const Stream& stream, Status status, std::span<const std::byte> payload) {
  write(make_frame({.program = stream.row().program,
                    .version = 1,
                    .procedure = stream.row().number,
                    .type = Type::stream,
                    .serial = stream.serial(),
                    .status = status},
                   payload));
}

void Session::send_stream_error(const Stream& stream, const Error& error) {
  send_stream(stream, Status::error, encode_error(error));
}

void Session::forget(const Stream& stream) {
  std::erase_if(streams_, [&](const auto& held) { return held.get() == &stream; });
  wake_reader();
}

void Session::write(Bytes frame) {
  if (closed_) return;
  if (!unsent_.empty() && unsent_bytes_ + frame.size() > limits_.write_queue_bytes) {
    log::warn("a client was dropped: it does not read, {} bytes wait for it", unsent_bytes_);
    return shut();
  }
  unsent_bytes_ += frame.size();
  unsent_.push_back(std::move(frame));
  if (!waiting_to_write_) flush();
}

void Session::flush() {
  const bool had_room = has_room();
  while (!unsent_.empty()) {
    std::array<asio::const_buffer, gather> buffers;
    std::size_t used = 0, skip = sent_of_first_;
    for (auto it = unsent_.begin(); it != unsent_.end() && used < gather; ++it, skip = 0)
      buffers[used++] = asio::buffer(it->data() + skip, it->size() - skip);
    boost::system::error_code error;
    auto sent = socket_.write_some(std::span(buffers).first(used), error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      waiting_to_write_ = true;
      socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const boost::system::error_code& failed) {
        self->waiting_to_write_ = false;
        if (!failed && !self->closed_) self->flush();
      });
      break;
    }
    if (error) return shut();
    unsent_bytes_ -= sent;
    sent += sent_of_first_;
    while (!unsent_.empty() && sent >= unsent_.front().size()) {
      sent -= unsent_.front().size();
      unsent_.pop_front();
    }
    sent_of_first_ = sent;
  }
  if (!had_room && has_room()) made_room();
  if (closing_ && unsent_.empty()) wake_reader();
}

void Session::made_room() {
  if (paused_) wake_reader();
  if (streams_.empty()) return;
  // Later, not now: a stream may be in the middle of sending. One that is served may end and leave the list.
  asio::post(executor_, [self = shared_from_this()] {
    for (const auto streams = self->streams_; const auto& stream : streams) stream->serve_senders();
  });
}

void Session::close() {
  asio::post(executor_, [self = shared_from_this()] { self->shut(); });
}

void Session::shut() {
  if (std::exchange(closed_, true)) return;
  boost::system::error_code ignored;
  socket_.close(ignored);
  pause_.cancel();
  keepalive_timer_.cancel();
  unsent_.clear();
  unsent_bytes_ = 0;
  cancel_running();
  for (const auto& stream : std::exchange(streams_, {}))
    stream->tear_down(Error{.code = VIR_ERR_OPERATION_ABORTED, .detail = "the client has gone"});
  for (auto& hook : std::exchange(close_hooks_, {})) hook();
  if (auto ended = std::exchange(ended_, nullptr)) ended(shared_from_this());
}

}  // namespace vireo::doors::libvirt
