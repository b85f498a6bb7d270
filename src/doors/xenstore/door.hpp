// The door: listens on a unix socket and speaks the xenstore protocol with whoever comes. It owns the connections, and
// with the tree it lives on one executor, whose thread no other may share the tree with.
#pragma once

#include <filesystem>

#include "base/error.hpp"
#include "doors/xenstore/session.hpp"

namespace vireo::doors::xenstore {

class Door {
 public:
  using Socket = Session::Socket;

  // `executor` is run by one thread, and `store` is used there and outlives what is under way on it.
  Door(asio::any_io_executor executor, tree::Store& store, Services services = {}, DoorLimits limits = {});
  ~Door();

  // Replaces a socket left behind at `path`, sets `mode` and accepts; who comes there acts for domain 0. Error:
  // VIR_ERR_SYSTEM_ERROR.
  Result<void> listen(const std::filesystem::path& path, std::filesystem::perms mode);

  // Any thread. Stops accepting and removes the socket's path; connections go on.
  void stop_accepting();
  // Any thread. Stops accepting and ends every connection.
  void close();
  // Any thread. What is now ("clients", "watches" …) and what happened since the daemon started.
  std::vector<Count> counters() const;

  // What follows: on the executor.

  // A connection that acts for a domain, by whatever way it came.
  void serve(Socket socket, tree::DomainId domain);
  // A domain has come, or gone: those who watch for it are told. What goes loses its connections and its nodes.
  void introduce(tree::DomainId domain);
  void release(tree::DomainId domain);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace vireo::doors::xenstore
