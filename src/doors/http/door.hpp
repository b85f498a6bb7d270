// The HTTP door: JSON over HTTP/1.1 on a unix socket, for the `vireo` command and whoever likes curl. It accepts on one
// door thread, hands each connection to one of them, and owns the sessions until they end.
#pragma once

#include <filesystem>

#include "base/deadline.hpp"
#include "base/unix_listener.hpp"
#include "doors/http/session.hpp"

namespace vireo::doors::http {

class Door {
 public:
  // `executors`: one per door thread. They, `core` (where changes run) and `services` outlive the door's close().
  Door(std::vector<asio::any_io_executor> executors, asio::any_io_executor core, const Services& services,
       Limits limits);
  ~Door();

  // Replaces a socket left behind at `path`, sets `mode` (0777) and accepts. Error: VIR_ERR_SYSTEM_ERROR.
  Result<void> listen(const std::filesystem::path& path, std::filesystem::perms mode);

  // Any thread. Stops accepting and removes the socket's path; sessions go on.
  void stop_accepting();
  // Any thread. Stops accepting and ends every session.
  void close();
  // Refuses changes from now on (503) and blocks the calling thread until none is in flight. False: the deadline
  // passed first.
  bool drain(Deadline deadline);

  // Any thread: connections, calls_in_flight, requests, refused, timed_out, turned_away, of the group "http".
  std::vector<Counter> counters() const;

 private:
  struct Listening;
  std::shared_ptr<Listening> listening_;
};

}  // namespace vireo::doors::http
