// A stream's life. Callers stand on any executor (the core, mostly); each request is posted to the session's executor
// with a waiter, and the answer is posted back to the waiter's own.
#include "doors/libvirt/stream.hpp"

#include "doors/libvirt/session.hpp"

namespace vireo::doors::libvirt {
namespace {

// The client's absence ends every wait here, so there is no other deadline.
Deadline no_deadline() { return Deadline::at(SteadyClock::time_point::max()); }

Error aborted(std::string why) {
  return Error{.code = VIR_ERR_OPERATION_ABORTED, .detail = std::move(why), .domain = VIR_FROM_STREAMS};
}

}  // namespace

struct Stream::Receiving {
  explicit Receiving(const asio::any_io_executor& executor) : home(executor), done(executor) {}
  asio::any_io_executor home;
  Wake done;  // at home
  Result<std::optional<Bytes>> result;
};

struct Stream::Sending {
  Sending(const asio::any_io_executor& executor, Bytes bytes)
      : home(executor), done(executor), data(std::move(bytes)) {}
  asio::any_io_executor home;
  Wake done;  // at home
  Result<void> result;
  Bytes data;
  std::size_t sent = 0;
};

Stream::Stream(std::shared_ptr<Session> session, const Procedure& row, std::uint32_t serial)
    : session_(std::move(session)), row_(&row), serial_(serial) {}

asio::awaitable<Result<void>> Stream::send(Bytes data) {
  auto self = shared_from_this();
  auto waiter = std::make_shared<Sending>(co_await asio::this_coro::executor, std::move(data));
  asio::post(session_->executor(), [self, waiter] {
    self->senders_.push_back(waiter);
    self->serve_senders();
  });
  if (!co_await waiter->done.wait(no_deadline())) co_return std::unexpected(aborted("sending was cancelled"));
  co_return waiter->result;
}

asio::awaitable<Result<std::optional<Bytes>>> Stream::receive() {
  auto self = shared_from_this();
  auto waiter = std::make_shared<Receiving>(co_await asio::this_coro::executor);
  asio::post(session_->executor(), [self, waiter] {
    self->receiver_ = waiter;
    self->serve_receiver();
  });
  if (!co_await waiter->done.wait(no_deadline())) co_return std::unexpected(aborted("receiving was cancelled"));
  co_return std::move(waiter->result);
}

void Stream::finish() {
  asio::post(session_->executor(), [self = shared_from_this()] {
    if (self->ended_ || self->finished_) return;
    self->finished_ = true;
    self->serve_senders();
  });
}

void Stream::abort(Error error) {
  asio::post(session_->executor(), [self = shared_from_this(), error = std::move(error)] { self->refuse(error); });
}

void Stream::call_answered() {
  answered_ = true;
  if (early_error_) return end_with_error(*early_error_);
  serve_senders();
}

void Stream::deliver(Status status, std::span<const std::byte> payload) {
  if (ended_) return;
  switch (status) {
    case Status::more:
      if (client_finished_ || finished_) return;
      incoming_.emplace_back(payload.begin(), payload.end());
      queued_bytes_ += payload.size();
      return serve_receiver();
    case Status::ok:
      client_finished_ = true;
      serve_receiver();
      if (finish_sent_) finish_here();
      return;
    case Status::error:
      session_->send_stream(*this, Status::ok, {});
      tear_down(aborted("the client aborted the stream"));
      return session_->forget(*this);
  }
  end_with_error(Error{.code = VIR_ERR_RPC,
                       .detail = fmt::format("stream aborted with unexpected status {}", static_cast<int>(status)),
                       .domain = VIR_FROM_STREAMS});
}

void Stream::refuse(const Error& error) {
  if (!ended_) end_with_error(error);
}

void Stream::serve_receiver() {
  if (!receiver_) return;
  if (!incoming_.empty()) {
    queued_bytes_ -= incoming_.front().size();
    receiver_->result = std::optional(std::move(incoming_.front()));
    incoming_.pop_front();
    session_->stream_data_taken();
  } else if (client_finished_) {
    receiver_->result = std::optional<Bytes>();
  } else if (ended_) {
    receiver_->result = std::unexpected(*ended_);
  } else {
    return;
  }
  auto waiter = std::move(receiver_);
  receiver_ = nullptr;
  asio::post(waiter->home, [waiter] { waiter->done.fire(); });
}

void Stream::serve_senders() {
  while (answered_ && !ended_ && !senders_.empty() && session_->has_room()) {
    auto waiter = senders_.front();
    const auto packet = std::span(waiter->data).subspan(waiter->sent);
    const auto size = std::min(packet.size(), stream_packet_max);
    waiter->sent += size;
    const bool all = waiter->sent == waiter->data.size();
    // Out of the queue before the last packet goes out: sending may find the client gone and answer everybody in it.
    if (all) senders_.pop_front();
    // Nothing is sent for nothing: an empty packet would mean the end.
    if (size > 0) session_->send_stream(*this, Status::more, packet.first(size));
    if (all) answer(waiter, {});
  }
  if (ended_) {
    for (const auto& waiter : senders_) answer(waiter, std::unexpected(*ended_));
    senders_.clear();
    return;
  }
  if (answered_ && finished_ && senders_.empty() && !finish_sent_) {
    finish_sent_ = true;
    if (client_finished_) return finish_here();
    session_->send_stream(*this, Status::more, {});
  }
}

void Stream::finish_here() {
  ended_ = aborted("the stream has been finished");
  session_->send_stream(*this, Status::ok, {});
  session_->forget(*this);
}

void Stream::end_with_error(const Error& error) {
  if (!answered_) {
    early_error_ = error;
    return;
  }
  session_->send_stream_error(*this, error);
  tear_down(error);
  session_->forget(*this);
}

void Stream::tear_down(const Error& why) {
  if (ended_) return;
  ended_ = aborted(why.detail);
  incoming_.clear();
  queued_bytes_ = 0;
  client_finished_ = false;
  serve_receiver();
  serve_senders();
}

void Stream::answer(const std::shared_ptr<Sending>& waiter, Result<void> result) {
  waiter->result = std::move(result);
  asio::post(waiter->home, [waiter] { waiter->done.fire(); });
}

}  // namespace vireo::doors::libvirt
