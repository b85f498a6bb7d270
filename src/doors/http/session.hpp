// One client's connection: reads requests one after the other, has them answered, and goes when the client does, when
// nothing is asked for a while, or when a limit is passed. Boost.Beast stays behind this header. Everything of a
// session happens on its socket's executor, but for close().
#pragma once

#include "base/gate.hpp"
#include "doors/http/routes.hpp"

namespace vireo::doors::http {

// Bounds of this door.
struct Limits {
  std::uint32_t header_bytes = 16 << 10;  // 431
  std::uint64_t body_bytes = 64 << 10;    // 413
  std::size_t connections = 256;          // more are closed at once
  // For a whole request to arrive, counted from the answer before; for an answer to be taken.
  std::chrono::milliseconds idle_timeout{30'000};
  std::chrono::milliseconds write_timeout{30'000};
};

// What all sessions of a door share. Outlives them.
struct Shared {
  Shared(std::span<const Route> t, const Services& s, asio::any_io_executor c, Limits l)
      : table(t), services(s), core(std::move(c)), limits(l) {}

  const std::span<const Route> table;
  const Services& services;
  const asio::any_io_executor core;
  const Limits limits;
  Gate gate;  // changes are inside until they are answered
  std::atomic<std::uint64_t> requests{0}, refused{0}, timed_out{0};
};

// A connection at a path or at an address: from here on there is no difference.
using StreamSocket = asio::generic::stream_protocol::socket;

class Session {
 public:
  using Ended = std::function<void(const std::shared_ptr<Session>&)>;
  static std::shared_ptr<Session> make(StreamSocket socket, std::shared_ptr<Shared> shared);
  virtual ~Session() = default;

  // Any thread. Begins to read; `ended` is called once, when the session is over.
  virtual void start(Ended ended) = 0;
  // Any thread. Ends the connection.
  virtual void close() = 0;
};

}  // namespace vireo::doors::http
