// One client's connection: reads frames, checks them against the procedure table, runs handlers, writes replies,
// events and stream packets. Everything of a session happens on its executor; what may be called from elsewhere says
// so. A session that misbehaves (too long frames, never reads) is dropped and costs nobody else anything.
#pragma once

#include "base/gate.hpp"
#include "doors/libvirt/frame.hpp"
#include "doors/libvirt/handler.hpp"

namespace vireo::doors::libvirt {

// Bounds of one connection. The defaults suit a local management client.
struct Limits {
  std::size_t calls_in_flight = 64;               // beyond: reading stops until one is answered
  std::size_t write_pause_bytes = 1 << 20;        // unsent bytes beyond which reading stops and streams wait
  std::size_t write_queue_bytes = 64 << 20;       // unsent bytes beyond which the client is dropped
  std::size_t stream_queue_bytes = 1 << 20;       // undelivered stream bytes beyond which reading stops
  std::size_t streams = 64;                       // open streams; more are refused
  std::size_t sessions = 5000;                    // per door; more are closed at once
  std::chrono::milliseconds close_timeout{5000};  // for a leaving client to take its last replies
  std::chrono::milliseconds keepalive_interval{5000};
  int keepalive_count = 5;  // unanswered pings before the client is dropped
};

struct Peer {
  bool read_only = false;
  // From SO_PEERCRED; -1: unknown.
  int pid = -1;
  int uid = -1;
  int gid = -1;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Socket = asio::local::stream_protocol::socket;
  using Ended = std::function<void(const std::shared_ptr<Session>&)>;

  // `table` outlives the session. Every call that leaves the session's thread is inside `gate` until it is answered.
  Session(Socket socket, Peer peer, const HandlerTable& table, Limits limits, std::shared_ptr<Gate> gate);
  // Session's executor. Begins to read. `ended` is called once, when the session is over.
  void start(Ended ended);

  const Peer& peer() const { return peer_; }
  bool read_only() const { return peer_.read_only; }
  const asio::any_io_executor& executor() const { return executor_; }
  const Limits& limits() const { return limits_; }

  // For connect_open's handler: the client asked for a read-only connection.
  void restrict_to_reading() { peer_.read_only = true; }
  // True from the first successful connect_open; before, only the greeting calls are legal.
  bool opened() const { return opened_; }

  // The handlers' own state, set when the session begins or at connect_open.
  std::shared_ptr<SessionState> state;

  // Runs `hook` once on the session's executor when the connection ends.
  void on_close(std::move_only_function<void()> hook) { close_hooks_.push_back(std::move(hook)); }

  // Any thread. A client that lets events pile up beyond the write limit is dropped.
  void send_event(std::uint32_t program, std::int32_t procedure, Bytes payload);
  template <class Message>
  void send_event(proc::Remote procedure, const Message& message) {
    if (auto bytes = xdr::encode(message))
      send_event(program_of(procedure), static_cast<std::int32_t>(procedure), std::move(*bytes));
  }
  template <class Message>
  void send_event(proc::Qemu procedure, const Message& message) {
    if (auto bytes = xdr::encode(message))
      send_event(program_of(procedure), static_cast<std::int32_t>(procedure), std::move(*bytes));
  }

  // Any thread. Ends the connection; calls in flight are cancelled.
  void close();

  // What follows is for the session's streams, on its executor.

  bool has_room() const { return unsent_bytes_ < limits_.write_pause_bytes; }
  void send_stream(const Stream& stream, Status status, std::span<const std::byte> payload);
  void send_stream_error(const Stream& stream, const Error& error);
  void forget(const Stream& stream);
  // A stream's data was taken: the session may read on.
  void stream_data_taken() { wake_reader(); }

 private:
  class Running;

  static asio::awaitable<void> read_loop(std::shared_ptr<Session> self);
  static asio::awaitable<void> drain_writes(std::shared_ptr<Session> self);
  static asio::awaitable<void> keepalive_loop(std::shared_ptr<Session> self);

  void handle(const Frame& frame);
  void handle_call(const Header& header, std::span<const std::byte> payload);
  void handle_stream(const Header& header, std::span<const std::byte> payload);
  void handle_keepalive(const Header& header);
  // Whether the call may be made at all, now, by this client.
  Result<void> admit(const Procedure& row, const HandlerTable::Entry& entry, std::span<const std::byte> payload) const;
  // What the session answers itself: authentication, keepalive's feature, close. True: answered.
  bool answer_greeting(const Header& header, std::span<const std::byte> payload);
  void run(const Procedure& row, const HandlerTable::Entry& entry, const Header& header,
           std::span<const std::byte> payload);
  void cancel_running();
  void finish_running(const std::shared_ptr<Running>& running, Result<Bytes> payload);

  // Sends the reply, or the error in its place.
  void reply(const Header& call, Result<Bytes> payload);
  // The same for a handler's reply: an error without a domain gets the driver's.
  void reply_of_handler(const Header& call, Result<Bytes> payload);
  void write(Bytes frame);
  void flush();
  void made_room();
  bool must_pause() const;
  void wake_reader() { pause_.cancel(); }
  void watch_hang_up();
  void shut();

  Socket socket_;
  const asio::any_io_executor executor_;
  Peer peer_;
  const HandlerTable& table_;
  const Limits limits_;
  const std::shared_ptr<Gate> gate_;
  Ended ended_;

  bool authenticated_ = false, opened_ = false;
  bool closing_ = false;  // ends once everything is written
  bool closed_ = false;
  std::vector<std::move_only_function<void()>> close_hooks_;

  asio::steady_timer pause_;
  bool paused_ = false, watching_hang_up_ = false;
  asio::steady_timer keepalive_timer_;
  bool keepalive_ = false, heard_ = false;
  int pings_unanswered_ = 0;

  std::list<std::shared_ptr<Running>> running_;
  std::list<std::shared_ptr<Stream>> streams_;

  std::deque<Bytes> unsent_;
  std::size_t unsent_bytes_ = 0, sent_of_first_ = 0;
  bool waiting_to_write_ = false;
  std::atomic<std::size_t> posted_event_bytes_{0};
};

}  // namespace vireo::doors::libvirt
