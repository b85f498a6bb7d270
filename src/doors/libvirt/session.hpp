// One client's connection: reads frames, checks them against the procedure table, runs handlers, writes replies,
// events and stream packets. Everything of a session happens on its executor; what may be called from elsewhere says
// so. A session that misbehaves (too long frames, never reads) is dropped and costs nobody else anything.
#pragma once

#include "doors/libvirt/common.hpp"
#include "doors/libvirt/frame.hpp"
#include "doors/libvirt/handler.hpp"

namespace vireo::doors::libvirt {

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

  // `table` outlives the session. Every call that leaves the session's thread is inside the common gate until it is
  // answered.
  Session(Socket socket, Peer peer, const HandlerTable& table, Limits limits, std::shared_ptr<Common> common);
  ~Session();
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

  // Any thread. A client that lets events pile up beyond the limits is dropped.
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
  // Drops a client that makes no progress where it has to.
  static asio::awaitable<void> watch_loop(std::shared_ptr<Session> self);

  void handle(const Frame& frame);
  void handle_call(const Header& header, std::span<const std::byte> payload);
  void handle_stream(const Header& header, std::span<const std::byte> payload);
  void handle_keepalive(const Header& header);
  // Whether the call may be made at all, now, by this client.
  Result<void> admit(const Procedure& row, const HandlerTable::Entry& entry, std::span<const std::byte> payload);
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
  void write(Bytes frame, bool event = false);
  void flush();
  void made_room();
  // The counter of the limit for which reading has to pause; null: none.
  Counter* must_pause();
  // Brings the common account up to date with what this session holds. False: the client was dropped for it.
  bool account();
  // Ends the connection and says why in the log, unless it has said much lately.
  void drop(Counter& counter, std::string_view why);
  void drop_for_events();
  void wake_reader() { pause_.cancel(); }
  void watch_hang_up();
  void shut();

  Socket socket_;
  const asio::any_io_executor executor_;
  Peer peer_;
  const HandlerTable& table_;
  const Limits limits_;
  const std::shared_ptr<Common> common_;
  Ended ended_;

  SteadyClock::time_point call_arrived_;  // of the call that is being checked or answered

  bool authenticated_ = false, opened_ = false;
  bool closing_ = false;  // ends once everything is written
  bool closed_ = false;
  std::vector<std::move_only_function<void()>> close_hooks_;

  asio::steady_timer pause_;
  bool paused_ = false, watching_hang_up_ = false;
  asio::steady_timer keepalive_timer_, watch_timer_;
  bool keepalive_ = false, heard_ = false;
  int pings_unanswered_ = 0;

  std::list<std::shared_ptr<Running>> running_;
  std::list<std::shared_ptr<Stream>> streams_;

  struct Unsent {
    Bytes frame;
    bool event = false;
  };
  std::deque<Unsent> unsent_;
  std::size_t unsent_bytes_ = 0, sent_of_first_ = 0, unsent_events_ = 0;
  bool waiting_to_write_ = false;
  // Handed over by other threads and not in the queue yet.
  std::atomic<std::size_t> posted_event_bytes_{0}, posted_events_{0};
  std::atomic<bool> flooded_{false};  // with more of them than it may have: it ends, and gets no more

  std::size_t read_bytes_ = 0;     // the frame reader's buffer
  std::size_t running_bytes_ = 0;  // arguments of the calls in flight
  std::size_t accounted_bytes_ = 0;
  // When progress was last made where it has to be: with the opening, with the frame that has begun, with what is
  // unsent.
  SteadyClock::time_point began_, frame_progress_, write_progress_;
  bool in_frame_ = false;
};

}  // namespace vireo::doors::libvirt
