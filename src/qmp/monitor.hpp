// A QEMU monitor: one connection that speaks QMP. Commands are pipelined: many may be under way, answers find their
// asker by id, each asker has its own deadline, and an answer that comes too late is dropped. Everything happens on the
// socket's executor; nothing here blocks, one turn reads a bounded number of bytes, and what comes unasked is read at a
// bounded rate, so that a guest whose QEMU floods its monitor does not starve the others.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/timer.hpp"
#include "base/wait_site.hpp"
#include "base/wake.hpp"
#include "qmp/message.hpp"

namespace vireo::qmp {

struct Event {
  std::string name;  // "RESUME"
  json::object data;
};

struct MonitorSinks {
  std::function<void(Event)> event;          // in the order in which QEMU sent them
  std::function<void(const Error&)> closed;  // once, when the other side closed or sent garbage; not after close()
};

class Monitor : public std::enable_shared_from_this<Monitor> {
 public:
  using Socket = asio::local::stream_protocol::socket;

  // Begins to read at once. The connection lives until close() or until the other side ends it, so the owner closes.
  static std::shared_ptr<Monitor> open(Socket socket, MonitorSinks sinks);

  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // Waits for QEMU's greeting and leaves negotiation mode. Before that no other command is accepted by QEMU.
  asio::awaitable<Result<void>> handshake(Deadline deadline);

  // Sends one command object as it is, but for its "id", and gives QEMU's whole answer, be it "return" or "error"; the
  // asker's own "id", if any, stands in it again. Errors: VIR_ERR_OPERATION_TIMEOUT at the deadline (a command not yet
  // written is then never sent), VIR_ERR_RESOURCE_BUSY with too many commands under way, VIR_ERR_OPERATION_FAILED when
  // the connection is or gets closed, VIR_ERR_INTERNAL_ERROR when it was closed because of garbage.
  // The time until the answer is reported as a wait of the line `where`.
  asio::awaitable<Result<json::object>> exchange(json::object request, Deadline deadline,
                                                 std::source_location where = std::source_location::current());

  // One command by name: what it returns. QEMU's refusal is VIR_ERR_INTERNAL_ERROR with QEMU's sentence.
  asio::awaitable<Result<json::value>> execute(std::string command, json::object arguments, Deadline deadline,
                                               std::source_location where = std::source_location::current());

  bool is_open() const { return !failure_; }
  // Ends the connection and everybody's waiting; no sink is called any more.
  void close();

 private:
  struct Pending {
    explicit Pending(const asio::any_io_executor& executor) : wake(executor) {}
    Wake wake;
    std::optional<json::object> reply;
  };
  struct Outgoing {
    std::uint64_t id;
    std::string text;
  };
  class Place;  // an asker's entry in pending_, taken back by its destruction
  using Self = std::shared_ptr<Monitor>;

  Monitor(Socket socket, MonitorSinks sinks);

  static asio::awaitable<void> read_loop(Self self);
  static asio::awaitable<void> write_loop(Self self);
  static asio::awaitable<void> rest(Self self);
  static asio::awaitable<Result<void>> do_handshake(Self self, Deadline deadline);
  static asio::awaitable<Result<json::object>> do_exchange(Self self, json::object request, Deadline deadline,
                                                           WaitSite& site);
  static asio::awaitable<Result<json::value>> do_execute(Self self, std::string command, json::object arguments,
                                                         Deadline deadline, std::source_location where);

  Result<void> take_lines();
  Result<void> take(std::string_view line);
  void count_unasked(std::size_t bytes);
  std::uint64_t next_id();
  void send(std::uint64_t id, std::string text);
  void forget(std::uint64_t id);
  void fail_all(Error why, bool tell);

  Socket socket_;
  std::shared_ptr<const MonitorSinks> sinks_;  // shared, so that a sink may close the monitor that is calling it
  LineReader reader_;
  Wake greeted_;
  std::size_t unasked_ = 0;  // messages that nobody waited for, in the span that ends then
  SteadyClock::time_point span_ends_;
  Timer pause_;  // of the reading
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<Pending>> pending_;
  std::deque<Outgoing> outbox_;
  bool writing_ = false;
  std::optional<Error> failure_;  // set: the connection has ended
};

using MonitorPtr = std::shared_ptr<Monitor>;

}  // namespace vireo::qmp
