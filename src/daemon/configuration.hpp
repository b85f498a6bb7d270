// The configuration in force: an immutable Config, published to whoever wants it, and replaced as a whole when the file
// is read anew. A file that is wrong changes nothing.
#pragma once

#include "base/published.hpp"
#include "base/workers.hpp"
#include "core/lane.hpp"
#include "daemon/config.hpp"
#include "daemon/paths.hpp"

namespace vireo::daemon {

// The settings of the file that `paths` names; the defaults when it is absent and need not exist. Error:
// VIR_ERR_CONF_SYNTAX naming file, line and what is wrong, VIR_ERR_SYSTEM_ERROR when it cannot be read.
Result<Config> load_config(const Paths& paths);

class Configuration {
 public:
  // Calls `apply` with each new version, on the core thread. Outlives every reload.
  using Apply = std::function<void(const Config&)>;
  Configuration(const asio::any_io_executor& core, Workers& files, Paths paths, Config first, Apply apply);

  const std::string& file() const { return paths_.config_file; }
  // Any thread.
  std::shared_ptr<const Config> now() const { return published_.snapshot(); }

  // Core thread. Reads the file on a worker, takes over what may change at once, and logs what happened; one after the
  // other when several ask. Error: as load_config, and VIR_ERR_OPERATION_TIMEOUT for a disk that does not answer; then
  // nothing has changed.
  asio::awaitable<Result<TakenUp>> reload();

 private:
  Workers& files_;
  const Paths paths_;
  const Apply apply_;
  core::Lane lane_;
  Published<Config> published_;
};

}  // namespace vireo::daemon
