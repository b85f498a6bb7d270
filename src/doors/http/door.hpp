// The HTTP door: JSON over HTTP/1.1 on a unix socket, for the `vireo` command and whoever likes curl; and metrics, at
// an address, too. It accepts on one door thread, hands each connection to one of them, and owns the sessions until
// they end.
#pragma once

#include <filesystem>

#include "base/deadline.hpp"
#include "base/tcp_listener.hpp"
#include "base/unix_listener.hpp"
#include "doors/http/session.hpp"

namespace vireo::doors::http {

class Door {
 public:
  // `executors`: one per door thread. They, `core` (where changes run) and `services` outlive the door's close().
  // `table`: what is answered here; `name`: the group of the door's counters.
  Door(std::vector<asio::any_io_executor> executors, asio::any_io_executor core, const Services& services,
       Limits limits, std::span<const Route> table = routes(), std::string_view name = "http");
  ~Door();

  // Replaces a socket left behind at `path`, sets `mode` (0777) and accepts. Error: VIR_ERR_SYSTEM_ERROR.
  Result<void> listen(const std::filesystem::path& path, std::filesystem::perms mode);

  // Accepts at an address. Returns the port, also where 0 was asked for. Error: VIR_ERR_SYSTEM_ERROR.
  Result<unsigned short> listen(const asio::ip::tcp::endpoint& at);

  // Any thread. Stops accepting and removes the socket's path; sessions go on.
  void stop_accepting();
  // Any thread. Stops accepting and ends every session.
  void close();
  // Refuses changes from now on (503) and blocks the calling thread until none is in flight. False: the deadline
  // passed first.
  bool drain(Deadline deadline);

  // Any thread: connections, calls_in_flight, requests, refused, timed_out, turned_away.
  std::vector<Counter> counters() const;

 private:
  struct Listening;
  std::shared_ptr<Listening> listening_;
};

}  // namespace vireo::doors::http
