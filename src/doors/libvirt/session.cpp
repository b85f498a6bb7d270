// A session's reading side: from bytes to frames, and what is not a call: stream packets and keepalive.
#include "doors/libvirt/session.hpp"

#include "base/log.hpp"

namespace vireo::doors::libvirt {
namespace {

// After so many frames in a row the other sessions of this thread get their turn.
constexpr int frames_per_turn = 64;

}  // namespace

Session::Session(Socket socket, Peer peer, const HandlerTable& table, Limits limits, std::shared_ptr<Common> common)
    : socket_(std::move(socket)),
      executor_(socket_.get_executor()),
      peer_(peer),
      table_(table),
      limits_(limits),
      common_(std::move(common)),
      pause_(executor_),
      keepalive_timer_(executor_),
      watch_timer_(executor_) {
  ++common_->clients;
}

Session::~Session() {
  if (!closed_) --common_->clients;
}

void Session::start(Ended ended) {
  if (closed_) return ended(shared_from_this());  // the door has closed meanwhile
  ended_ = std::move(ended);
  began_ = SteadyClock::now();
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  auto self = shared_from_this();
  asio::co_spawn(executor_, read_loop(self), [self](const std::exception_ptr& thrown) {
    // Out of memory, at worst; it costs this client its connection and nobody else anything.
    if (thrown) log::error("a client's connection was dropped: reading it failed");
    self->shut();
  });
  asio::co_spawn(executor_, watch_loop(self), asio::detached);
}

asio::awaitable<void> Session::read_loop(std::shared_ptr<Session> self) {
  FrameReader reader;
  int frames = 0;
  while (!self->closed_) {
    bool took = false;
    while (auto frame = reader.next()) {
      took = true;
      self->common_->counters.frames.add();
      self->handle(*frame);
      if (self->closed_ || self->closing_) co_return co_await drain_writes(self);
      while (auto* counter = self->must_pause()) {
        if (!self->paused_) counter->add();
        self->paused_ = true;
        self->watch_hang_up();
        boost::system::error_code woken;
        self->pause_.expires_at(SteadyClock::time_point::max());
        co_await self->pause_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        if (self->closed_) co_return;
      }
      self->paused_ = false;
      if (++frames % frames_per_turn == 0) co_await asio::post(self->executor_, asio::use_awaitable);
    }
    if (reader.broken())
      co_return reader.oversize()
          ? self->drop(self->common_->counters.clients_dropped_oversize, "it sent a message longer than one may be")
          : self->drop(self->common_->counters.clients_dropped_bad_frame, "it sent a message shorter than its header");
    const auto space = reader.space();
    self->read_bytes_ = reader.capacity();
    if (!self->account()) co_return;
    if (took || !self->in_frame_) self->frame_progress_ = SteadyClock::now();
    self->in_frame_ = reader.in_frame();
    boost::system::error_code error;
    const auto got = co_await self->socket_.async_read_some(asio::buffer(space.data(), space.size()),
                                                            asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    reader.received(got);
    self->heard_ = true;
  }
}

asio::awaitable<void> Session::drain_writes(std::shared_ptr<Session> self) {
  while (!self->closed_ && !self->unsent_.empty()) {
    boost::system::error_code woken;
    self->pause_.expires_after(self->limits_.close_timeout);
    co_await self->pause_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (!woken) co_return;
  }
}

// A paused reader does not see the end of the connection, so the kernel is asked for it.
void Session::watch_hang_up() {
  if (watching_hang_up_) return;
  watching_hang_up_ = true;
  socket_.async_wait(Socket::wait_error, [self = shared_from_this()](const boost::system::error_code& error) {
    self->watching_hang_up_ = false;
    if (!error && self->paused_) self->shut();
  });
}

void Session::handle(const Frame& frame) {
  switch (frame.header.type) {
    case Type::call:
      return handle_call(frame.header, frame.payload);
    case Type::call_with_fds: {
      // Descriptors are never promised to a client (feature 8), so the only good number of them is none.
      static constexpr std::array<std::byte, 4> none{};
      if (frame.payload.size() < 4 || !std::ranges::equal(frame.payload.first(4), none))
        return drop(common_->counters.clients_dropped_bad_frame, "it sent descriptors, which nobody offered to take");
      return handle_call(frame.header, frame.payload.subspan(4));
    }
    case Type::message:
      return handle_keepalive(frame.header);
    case Type::stream:
    case Type::stream_hole:
      return handle_stream(frame.header, frame.payload);
    case Type::reply:
    case Type::reply_with_fds:
      return;  // nothing was asked of the client; libvirtd ignores these, too
  }
}

void Session::handle_stream(const Header& header, std::span<const std::byte> payload) {
  const auto it = std::ranges::find_if(streams_, [&](const auto& stream) {
    return stream->serial() == header.serial && stream->row().number == header.procedure &&
           stream->row().program == header.program;
  });
  if (it == streams_.end()) return;  // it has ended while this packet was under way
  // A reference of its own: handling the packet may take the stream off the list.
  const std::shared_ptr<Stream> stream = *it;  // NOLINT(performance-unnecessary-copy-initialization)
  if (header.type == Type::stream_hole)
    return stream->refuse(Error{
        .code = VIR_ERR_OPERATION_UNSUPPORTED, .detail = "this stream cannot carry holes", .domain = VIR_FROM_STREAMS});
  stream->deliver(header.status, payload);
}

void Session::handle_keepalive(const Header& header) {
  if (header.program != proc::keepalive_program || header.version != protocol_version) return;
  if (header.procedure != static_cast<std::int32_t>(proc::Keepalive::ping)) return;  // a pong was heard, that is all
  write(make_frame({.program = proc::keepalive_program,
                    .version = protocol_version,
                    .procedure = static_cast<std::int32_t>(proc::Keepalive::pong),
                    .type = Type::message},
                   {}));
}

}  // namespace vireo::doors::libvirt
