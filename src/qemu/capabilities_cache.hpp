// Capabilities of all binaries asked for, each probed once: kept in memory, and on disk for the next daemon. Whoever
// asks while a probe is under way shares it. Used on the core; what blocks goes to workers: looking whether a binary
// has changed to some, running it to others, because a binary that hangs must not keep those from starting that are
// known.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/workers.hpp"
#include "qemu/capabilities_file.hpp"

namespace vireo::qemu {

using CapabilitiesPtr = std::shared_ptr<const Capabilities>;

class CapabilitiesCache : public std::enable_shared_from_this<CapabilitiesCache> {
 public:
  CapabilitiesCache(asio::any_io_executor executor, Workers& look, Workers& probe, std::string cache_dir,
                    ExecOptions exec, std::chrono::milliseconds look_every = std::chrono::milliseconds(0))
      : executor_(std::move(executor)),
        look_(look),
        probe_(probe),
        cache_dir_(std::move(cache_dir)),
        exec_(std::move(exec)),
        look_every_(look_every) {}

  // The file is looked at again at most once per `look_every`: a binary that was replaced is noticed within that time.
  // Errors: as probe_binary() gives them.
  asio::awaitable<Result<CapabilitiesPtr>> get(std::string binary, Deadline deadline);

  // How many binaries were asked by running them; what was read from disk does not count.
  unsigned probes() const { return probes_; }

 private:
  using Self = std::shared_ptr<CapabilitiesCache>;
  struct Known {
    BinaryStamp stamp;
    CapabilitiesPtr capabilities;
    SteadyClock::time_point looked_at;
  };
  // A probe under way, and who waits for it.
  struct Flight {
    BinaryStamp stamp;
    std::optional<Result<CapabilitiesPtr>> result;
    std::list<std::shared_ptr<Wake>> waiting;
  };
  static asio::awaitable<Result<CapabilitiesPtr>> do_get(Self self, std::string binary, Deadline deadline);
  static asio::awaitable<void> fly(Self self, std::shared_ptr<Flight> flight);

  asio::any_io_executor executor_;
  Workers& look_;
  Workers& probe_;
  std::string cache_dir_;
  const ExecOptions exec_;  // how binaries are asked
  const std::chrono::milliseconds look_every_;
  std::map<std::string, Known> known_;
  std::list<std::shared_ptr<Flight>> flights_;
  unsigned probes_ = 0;
};

}  // namespace vireo::qemu
