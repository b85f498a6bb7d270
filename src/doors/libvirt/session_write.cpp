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
  if (payload && payload->size() > payload_max) {
    common_->counters.replies_oversize.add();
    payload = fail_from(VIR_FROM_RPC, VIR_ERR_RPC, "the reply is longer than a message may be");
  }
  if (!payload) {
    header.status = Status::error;
    payload = encode_error(payload.error());
  }
  auto frame = make_frame(header, *payload);
  common_->latencies.add(call.program, call.procedure, SteadyClock::now() - call_arrived_);
  write(std::move(frame));
}

void Session::send_event(std::uint32_t program, std::int32_t procedure, Bytes payload) {
  if (flooded_) return;
  const auto size = payload.size() + frame_min;
  // Counted before the session's thread sees it, so that a busy thread does not hide a flood.
  const auto bytes = posted_event_bytes_.fetch_add(size) + size;
  const auto events = posted_events_.fetch_add(1) + 1;
  common_->held.add(size);
  if (bytes > limits_.write_queue_bytes || events > limits_.events_queued) {
    posted_event_bytes_ -= size;
    --posted_events_;
    common_->held.remove(size);
    if (flooded_.exchange(true)) return;
    return asio::post(executor_, [self = shared_from_this()] { self->drop_for_events(); });
  }
  asio::post(executor_, [self = shared_from_this(), program, procedure, size, payload = std::move(payload)] {
    self->posted_event_bytes_ -= size;
    --self->posted_events_;
    self->common_->held.remove(size);
    self->write(
        make_frame({.program = program, .version = protocol_version, .procedure = procedure, .type = Type::message},
                   payload),
        true);
  });
}

void Session::drop_for_events() {
  drop(common_->counters.clients_dropped_events, "it does not read, and too many events wait for it");
}

void Session::send_stream(const Stream& stream, Status status, std::span<const std::byte> payload) {
  write(make_frame({.program = stream.row().program,
                    .version = protocol_version,
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

void Session::write(Bytes frame, bool event) {
  if (closed_) return;
  if (!unsent_.empty() && unsent_bytes_ + frame.size() > limits_.write_queue_bytes)
    return event ? drop_for_events()
                 : drop(common_->counters.clients_dropped_not_reading, "it does not read, and too much waits for it");
  if (event) {
    if (unsent_events_ >= limits_.events_queued) return drop_for_events();
    ++unsent_events_;
    common_->counters.events.add();
  }
  unsent_bytes_ += frame.size();
  unsent_.push_back({.frame = std::move(frame), .event = event});
  if (!waiting_to_write_) flush();
  account();
}

void Session::flush() {
  const bool had_room = has_room();
  while (!unsent_.empty()) {
    std::array<asio::const_buffer, gather> buffers;
    std::size_t used = 0, skip = sent_of_first_;
    for (auto it = unsent_.begin(); it != unsent_.end() && used < gather; ++it, skip = 0)
      buffers[used++] = asio::buffer(it->frame.data() + skip, it->frame.size() - skip);
    boost::system::error_code error;
    auto sent = socket_.write_some(std::span(buffers).first(used), error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      if (!std::exchange(waiting_to_write_, true)) write_progress_ = SteadyClock::now();
      socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const boost::system::error_code& failed) {
        self->waiting_to_write_ = false;
        if (failed || self->closed_) return;
        self->flush();
        self->account();
      });
      break;
    }
    if (error) return shut();
    unsent_bytes_ -= sent;
    sent += sent_of_first_;
    while (!unsent_.empty() && sent >= unsent_.front().frame.size()) {
      sent -= unsent_.front().frame.size();
      if (unsent_.front().event) --unsent_events_;
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
  watch_timer_.cancel();
  unsent_.clear();
  unsent_bytes_ = unsent_events_ = 0;
  --common_->clients;
  account();
  cancel_running();
  for (const auto& stream : std::exchange(streams_, {}))
    stream->tear_down(Error{.code = VIR_ERR_OPERATION_ABORTED, .detail = "the client has gone"});
  for (auto& hook : std::exchange(close_hooks_, {})) hook();
  if (auto ended = std::exchange(ended_, nullptr)) ended(shared_from_this());
}

}  // namespace vireo::doors::libvirt
