// The daemon as one object: it makes the threads, the adapters and the core, connects them, and takes them apart in
// order. The only place that names concrete adapters.
#pragma once

#include <memory>

#include "base/error.hpp"
#include "daemon/config.hpp"
#include "daemon/paths.hpp"

namespace vireo::daemon {

class Daemon {
 public:
  // Makes folders, opens the database, brings guests back and opens the doors: when it returns, clients are served.
  static Result<std::unique_ptr<Daemon>> start(const Paths& paths, const Config& config);
  // Refuses new calls, lets those inside finish for shutdown_timeout_ms, and ends. Guests run on.
  ~Daemon();

 private:
  struct Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace vireo::daemon
