// The door: listens on unix sockets and hands each connection to one of the door threads. It owns the sessions until
// they end. Reads are answered on the session's thread; changes go to the core executor of the handler table.
#pragma once

#include <filesystem>

#include "base/deadline.hpp"
#include "doors/libvirt/session.hpp"

namespace vireo::doors::libvirt {

class Door {
 public:
  // `executors`: one per door thread (an io_context run by exactly one thread). They and `table` outlive the door's
  // close(). `welcome` is called on the session's executor before its first frame is read; it may set session.state.
  using Welcome = std::function<void(Session&)>;
  Door(std::vector<asio::any_io_executor> executors, const HandlerTable& table, Limits limits, Welcome welcome = {});
  ~Door();

  // Replaces a socket left behind at `path`, sets `mode` (0777) and accepts. Error: VIR_ERR_SYSTEM_ERROR.
  Result<void> listen(const std::filesystem::path& path, std::filesystem::perms mode, bool read_only);
  // Accepts on a descriptor that already listens (from the service manager); the door takes it over.
  Result<void> adopt(int listening_fd, bool read_only);

  // Any thread. Stops accepting and removes the sockets' paths; sessions go on.
  void stop_accepting();
  // Any thread. Stops accepting and ends every session; calls in flight are cancelled.
  void close();

  // Any thread. For connections that come from now on; those that are there keep what they began with.
  void set_limits(const Limits& limits);

  // Any thread. What is now ("clients", "calls_in_flight", "held_bytes") and what happened since the daemon started,
  // by name, ready to be printed.
  std::vector<Count> counts() const;
  const Counters& counters() const;
  // Any thread. How long the calls of each procedure took.
  std::vector<Latency> latencies() const;

  // Any thread. Calls that were handed to the core and are not answered yet; connections.
  std::size_t calls_in_flight() const;
  std::size_t sessions() const;
  // Refuses new changes and blocks the calling thread until none is in flight. False: the deadline passed first.
  bool drain(Deadline deadline);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace vireo::doors::libvirt
