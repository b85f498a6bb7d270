// The daemon as one object: it makes the threads, the adapters and the core, connects them, and takes them apart in
// order. The only place that names concrete adapters.
#pragma once

#include <memory>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "daemon/config.hpp"
#include "daemon/paths.hpp"

namespace vireo::daemon {

class Daemon {
 public:
  // Makes folders, opens the database, brings guests back and opens the doors: when it returns, clients are served.
  static Result<std::unique_ptr<Daemon>> start(const Paths& paths, const Config& config);
  // Ends, whatever is under way. Guests run on.
  ~Daemon();

  // What follows is for the thread that started the daemon.

  // Reads the configuration anew and takes it up; the log says how that went.
  void reload();
  // How long calls may take to finish when the daemon ends, as configured now.
  std::chrono::milliseconds shutdown_timeout() const;
  // Accepts no more clients and refuses new changes from now on; waits until those that are inside have finished.
  // False: the deadline passed first; may be called again.
  bool drain(Deadline deadline);

 private:
  struct Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace vireo::daemon
