// The seam between the core and what survives the daemon. load() is called once, before any client is let in, on a
// thread that may block. The rest is called on the core thread and answers there once the change is durable, in the
// order of the calls: a later change is never on disk without an earlier one.
#pragma once

#include <libvirt/libvirt.h>

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/uuid.hpp"
#include "model/boot_times.hpp"
#include "model/definition.hpp"
#include "ports/hypervisor.hpp"

namespace vireo::ports {

// Which file or block device an image is, whatever its path: st_dev and st_ino, or st_rdev and 0 (see stat(2)).
struct ImageIdentity {
  std::uint64_t device = 0, inode = 0;
  auto operator<=>(const ImageIdentity&) const = default;
};

// An image that a running guest writes to.
struct ClaimedImage {
  ImageIdentity identity;
  bool shared = false;  // <shareable/>
};

// A guest that runs or is about to: written without a process before QEMU is spawned (an intent), with it before the
// guest's vCPUs first run.
struct RunRecord {
  Uuid uuid;
  std::string name;
  int id = -1;
  std::string monitor_path;
  std::string boot_id;
  model::DomainDefPtr live;
  std::optional<ProcessIdentity> process;
  std::vector<ClaimedImage> images;
  int state = VIR_DOMAIN_SHUTOFF;  // as last published: virDomainState and its reason
  int reason = 0;
  model::BootTimesPtr boot;  // read by load() only; null: nothing was saved
};

struct StoredDefinition {
  model::DomainDefPtr definition;
  bool autostart = false;
};

struct StoredState {
  std::vector<StoredDefinition> definitions;
  std::vector<RunRecord> runs;
  // No daemon has loaded this store since the host booted: autostart is due.
  bool first_since_boot = false;
  // What could not be read: a sentence for each row, and the ids of running guests among them. The rows stay as they
  // are, and so do the guests.
  std::vector<std::string> unreadable;
  std::vector<int> unreadable_runs;
};

class DefinitionStore {
 public:
  virtual ~DefinitionStore() = default;

  virtual Result<StoredState> load(const std::string& boot_id) = 0;

  virtual asio::awaitable<Result<void>> save_definition(StoredDefinition definition) = 0;
  virtual asio::awaitable<Result<void>> remove_definition(Uuid uuid) = 0;
  virtual asio::awaitable<Result<void>> save_run(RunRecord run) = 0;
  virtual asio::awaitable<Result<void>> save_run_state(int id, int state, int reason) = 0;
  // How long the start with this id has taken so far; goes with its run.
  virtual asio::awaitable<Result<void>> save_boot(model::BootTimesPtr times) = 0;
  virtual asio::awaitable<Result<void>> remove_run(int id) = 0;
  // Moves the high-water mark of guest ids up by `count` and returns the first of the block. No id is handed out twice
  // in the life of the store.
  virtual asio::awaitable<Result<int>> reserve_ids(int count) = 0;
};

}  // namespace vireo::ports
