// The Hypervisor port on real QEMU: puts the room's parts together. What a definition means to QEMU is decided in
// complete.hpp, aliases.hpp and argv.hpp; processes and monitors are in launch.hpp, adopt.hpp and guest.hpp.
#pragma once

#include <memory>
#include <string>

#include "base/workers.hpp"
#include "ports/guest_cgroups.hpp"
#include "ports/host_facts.hpp"
#include "ports/hypervisor.hpp"
#include "ports/labeler.hpp"
#include "qemu/capabilities_cache.hpp"
#include "qemu/guest.hpp"

namespace vireo::qemu {

struct QemuOptions {
  std::string cache_dir;                     // capabilities are kept in its folder "capabilities"
  std::string emulator_folder = "/usr/bin";  // where qemu-system-ARCH is looked for when a definition names none
  bool sandbox = true;                       // QEMU's seccomp filter, where the binary knows it
  ExecOptions exec;                          // as whom guests run
  // Of each guest's process; empty: as the daemon's own.
  std::optional<int> oom_score, nice;
  std::optional<std::uint64_t> core_bytes;
  std::vector<ports::SecurityModel> security_models;  // for the host's capabilities
  std::shared_ptr<ports::GuestCgroups> cgroups;       // none: guests stay in the daemon's control group
};

// Lives as long as the core runs: its coroutines, the workers and the host's facts are referred to, not owned.
class QemuHypervisor : public ports::Hypervisor {
 public:
  // `spawn` start processes and look after their files, `probe` ask binaries what they can do: a binary that hangs must
  // not keep guests from starting.
  QemuHypervisor(asio::any_io_executor core, Workers& spawn, Workers& probe, const ports::HostFacts& host,
                 QemuOptions options);

  std::string type() const override { return "QEMU"; }
  asio::awaitable<Result<unsigned long>> version() override;
  asio::awaitable<Result<std::string>> capabilities_xml() override;
  asio::awaitable<Result<model::DomainDef>> complete(model::DomainDef definition) override;
  asio::awaitable<Result<ports::Launched>> launch(ports::LaunchSpec spec, ports::GuestEventSink sink) override;
  asio::awaitable<Result<ports::Launched>> adopt(ports::AdoptSpec spec, ports::GuestEventSink sink) override;
  asio::awaitable<Result<void>> sweep(std::string monitor_path, std::optional<ports::ProcessIdentity> process,
                                      Deadline deadline) override;

  // Ends the thread that watches consoles: before the core does.
  void stop() { consoles_.stop(); }

 private:
  std::string default_emulator(const std::string& arch) const;
  // The capabilities of the definition's emulator, if it runs guests of that arch.
  asio::awaitable<Result<CapabilitiesPtr>> capabilities_for(std::string emulator, std::string arch, Deadline deadline);
  std::string about(const Capabilities& capabilities) const;
  // Removes the control groups of the guest with that runtime folder.
  CleanUp clean_up_of(const std::string& runtime_dir) const;

  Workers& spawn_;
  const ports::HostFacts& host_;
  const QemuOptions options_;
  std::shared_ptr<CapabilitiesCache> cache_;
  ConsoleWatch consoles_;
};

// What lies in a guest's runtime folder. The folder and the pid file are the daemon's; the home is QEMU's.
std::string pid_file_in(const std::string& runtime_dir);
std::string home_in(const std::string& runtime_dir);
std::string console_log_in(const std::string& runtime_dir);  // the daemon makes it, QEMU writes to it
// What its control groups are called: the folder's name is the guest's id.
std::string cgroup_name_of(const std::string& runtime_dir);

}  // namespace vireo::qemu
