// A hypervisor without guests: it behaves like the real one towards the core, in no time or in as much as a script
// says. It serves libvirt's test:///default for clients that want to try things, and the tests of the core, which need
// thousands of guests and faults that QEMU cannot be made to have. Core thread only.
#pragma once

#include <set>

#include "ports/hypervisor.hpp"
#include "sim/world.hpp"

namespace vireo::sim {

// What a hypervisor does that may take time or go wrong.
enum class Step {
  Spawn,      // until there is a process
  Handshake,  // from then until it can be used
  Command,    // a question to the monitor
  End,        // until the process is gone
  Adopt,
  Sweep,
};

struct Fate {
  SteadyClock::duration delay{0};
  bool fails = false;
};

// What goes wrong or takes time. The default: nothing.
struct Script {
  std::chrono::milliseconds launch_delay{0};
  std::chrono::milliseconds command_delay{0};
  bool launch_fails = false;
  bool commands_hang = false;  // until their deadline
  bool ignores_power_button = false;
  // Asked before every step, if there is one; what it says comes on top.
  std::function<Fate(Step)> fate;
  // Questions for figures: told of each, if there is one, with the guest that is asked; by name, guests that do not
  // answer until they are taken out of this set or end; and guests that refuse.
  std::function<void(const model::DomainDef&, const ports::MonitorQuestion&)> asked;
  std::set<std::string> stopped, refusing;
};

class SimHypervisor final : public ports::Hypervisor {
 public:
  // `script` is read at every step, so a test may change it while guests run. Without a `world` that outlives it,
  // simulated guests end with their daemon.
  explicit SimHypervisor(asio::any_io_executor core, std::shared_ptr<const Script> script = nullptr,
                         std::shared_ptr<World> world = nullptr);

  std::string type() const override { return "TEST"; }
  asio::awaitable<Result<unsigned long>> version() override;
  asio::awaitable<Result<std::string>> capabilities_xml() override;
  asio::awaitable<Result<model::DomainDef>> complete(model::DomainDef definition) override;
  asio::awaitable<Result<ports::Launched>> launch(ports::LaunchSpec spec, ports::GuestEventSink sink) override;
  asio::awaitable<Result<ports::Launched>> adopt(ports::AdoptSpec spec, ports::GuestEventSink sink) override;
  asio::awaitable<Result<void>> sweep(std::string monitor_path, std::optional<ports::ProcessIdentity> process,
                                      Deadline deadline) override;

  // Guests whose process, were it one, is alive.
  int running() const { return static_cast<int>(world_->processes().size()); }

 private:
  asio::any_io_executor core_;
  std::shared_ptr<const Script> script_;
  std::shared_ptr<World> world_;
};

}  // namespace vireo::sim
