// The seam between the core and whatever runs guests: real QEMU (src/qemu) or the simulation (src/sim). Everything here
// is called on the core thread and answers there; an implementation sends what can block to workers. Nothing here
// knows names, lanes or clients.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "model/boot_times.hpp"
#include "model/definition.hpp"
#include "model/stats.hpp"
#include "ports/launch_recorder.hpp"

namespace vireo::ports {

// Which process a guest is, so that the next daemon cannot take another for it: a pid alone is reused.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t start_time_ticks = 0;  // /proc/PID/stat, field 22
  std::string boot_id;                 // /proc/sys/kernel/random/boot_id
};

// What a guest tells by itself. Delivered on the core thread, in order, the last one always Exited.
struct GuestEvent {
  enum class Kind {
    Resumed,        // vCPUs run
    Stopped,        // vCPUs stopped
    PowerdownDone,  // the guest has powered itself off; QEMU waits (-no-shutdown) for what on_poweroff says
    Reset,          // the machine was reset; by_guest tells by whom
    Panicked,       // the guest's kernel reports a crash
    Watchdog,
    IoError,
    RtcChange,
    ChannelChanged,  // the guest has opened or closed its end of a channel
    BalloonChanged,  // the balloon leaves the guest another amount of memory
    SaysUp,          // one of the signs of DomainDef::up was there for the first time
    Exited,          // the process has ended: nothing more will come
  } kind;
  bool by_guest = false;                     // PowerdownDone, Reset: the guest did it, not the host
  long long rtc_offset_s = 0;                // RtcChange
  bool connected = false;                    // ChannelChanged
  bool long_since = false;                   // SaysUp: it had done so before the guest was taken over
  model::UpSign sign = model::UpSign::none;  // SaysUp
  std::uint64_t memory_kib = 0;              // BalloonChanged
  // Exited: how the process ended, where it can be told (it cannot for an adopted process).
  int exit_status = -1;  // -1: unknown
  int exit_signal = 0;   // 0: not by a signal
  std::string
      detail;  // Exited: last lines of QEMU's log if it ended by itself; IoError, ChannelChanged: the device's alias
};

enum class Vcpus {
  Run,
  Stopped,
  NeverRan,  // not since the process began, or since it was reset while they were stopped
};

// What a monitor can be asked for in one go; each part costs QEMU one command at most.
struct MonitorQuestion {
  bool block = false;        // counters of all images: query-blockstats
  bool block_facts = false;  // their names and capacities: query-named-block-nodes
  bool balloon = false;      // what the balloon's driver reports: qom-get guest-stats
  bool dirty_rate = false;   // query-dirty-rate
  bool kvm = false;          // query-stats, of the machine and of its vCPUs

  bool any() const { return block || block_facts || balloon || dirty_rate || kvm; }
  MonitorQuestion& operator|=(const MonitorQuestion& other) {
    block |= other.block;
    block_facts |= other.block_facts;
    balloon |= other.balloon;
    dirty_rate |= other.dirty_rate;
    kvm |= other.kvm;
    return *this;
  }
};

// What came of it. A part that QEMU refused is absent, with QEMU's sentence in `refusals`.
struct MonitorAnswer {
  std::optional<model::BlockCounts> block;
  std::optional<model::BlockFacts> block_facts;
  std::optional<model::BalloonReport> balloon;
  std::optional<model::DirtyRate> dirty_rate;
  std::optional<model::KvmCounts> kvm;
  std::vector<std::string> refusals;
};

// One running guest: its process and its monitor. Destroying the object lets go of a running guest and leaves it alone
// (the next daemon adopts it). Every call ends at its deadline (VIR_ERR_OPERATION_TIMEOUT) even when QEMU is stuck, and
// fails with VIR_ERR_OPERATION_FAILED once the process has ended.
class Guest {
 public:
  virtual ~Guest() = default;

  virtual const ProcessIdentity& process() const = 0;

  virtual asio::awaitable<Result<void>> resume(Deadline deadline) = 0;
  virtual asio::awaitable<Result<void>> pause(Deadline deadline) = 0;
  virtual asio::awaitable<Result<void>> reset(Deadline deadline) = 0;
  // Presses the ACPI power button; the guest may or may not react.
  virtual asio::awaitable<Result<void>> press_power_button(Deadline deadline) = 0;
  // One raw monitor command: JSON in QMP, or a line of the human monitor; the answer as QEMU gives it.
  virtual asio::awaitable<Result<std::string>> monitor_command(std::string command, bool human, Deadline deadline) = 0;
  // What the vCPUs do now, as the monitor tells: asked after adoption.
  virtual asio::awaitable<Result<Vcpus>> query_vcpus(Deadline deadline) = 0;

  // Asks for figures, all commands at once; only one such question is under way at a time. Error: when nothing of it
  // was answered.
  virtual asio::awaitable<Result<MonitorAnswer>> ask_figures(MonitorQuestion question, Deadline deadline) = 0;
  // How often the balloon's driver is to report, in seconds; 0: not at all. Error: VIR_ERR_OPERATION_INVALID without a
  // balloon.
  virtual asio::awaitable<Result<void>> set_balloon_period(int seconds, Deadline deadline) = 0;
  // Begins to measure for `seconds` how fast the guest dirties its memory. `mode`: as QEMU spells it (calc-dirty-rate).
  virtual asio::awaitable<Result<void>> start_dirty_rate(int seconds, std::string mode, Deadline deadline) = 0;
  // The ids (node or device names) and errors of disks that QEMU has seen fail: alias → "failed", "nospace".
  virtual asio::awaitable<Result<std::vector<std::pair<std::string, std::string>>>> query_disk_errors(
      Deadline deadline) = 0;

  // Ends the process without asking the monitor: SIGTERM first when gentle, SIGKILL after grace or at once. Returns
  // when the process is gone, or with VIR_ERR_SYSTEM_ERROR when even SIGKILL did not end it before the deadline.
  virtual asio::awaitable<Result<void>> end(bool gentle, Deadline deadline) = 0;
};

struct LaunchSpec {
  model::DomainDefPtr definition;  // complete (see Hypervisor::complete), ports claimed
  int id = -1;
  std::string monitor_path;  // where QEMU listens; its folder exists already and is this guest's own
  std::string runtime_dir;   // that folder
  std::string log_path;      // QEMU's standard output and error are appended here
  Deadline deadline;
  LaunchRecorderPtr recorder = std::make_shared<LaunchRecorder>();  // told of each step as it begins
};

struct AdoptSpec {
  model::DomainDefPtr live;
  int id = -1;
  std::string monitor_path;
  std::string runtime_dir;
  std::string log_path;
  ProcessIdentity process;
  Deadline deadline;
};

struct Launched {
  std::unique_ptr<Guest> guest;
  // The definition with aliases, terminals, ports, channels and memory as they are now; after an adoption the very one
  // that was given if nothing of it has changed.
  model::DomainDefPtr live;
};

using GuestEventSink = std::function<void(GuestEvent)>;

class Hypervisor {
 public:
  virtual ~Hypervisor() = default;

  // "QEMU" or "TEST": virConnectGetType.
  virtual std::string type() const = 0;
  // virConnectGetVersion's number: major * 1,000,000 + minor * 1,000 + micro.
  virtual asio::awaitable<Result<unsigned long>> version() = 0;
  // virConnectGetCapabilities' XML.
  virtual asio::awaitable<Result<std::string>> capabilities_xml() = 0;

  // Fills in what the definition leaves to the hypervisor (machine, controllers, addresses …) and refuses by name what
  // it cannot run. Stable: a completed definition comes back unchanged.
  virtual asio::awaitable<Result<model::DomainDef>> complete(model::DomainDef definition) = 0;

  // Starts a guest with its vCPUs stopped. When it fails, nothing of it is left: no process, socket or file; the error
  // ends with the last lines of QEMU's log. Events are delivered from the moment launch() returns.
  virtual asio::awaitable<Result<Launched>> launch(LaunchSpec spec, GuestEventSink sink) = 0;

  // Takes a running guest over from an earlier daemon. VIR_ERR_NO_DOMAIN: that process has ended (or is a zombie, or
  // another process now has its pid). Any other error: it lives, but its monitor does not answer; the guest is then
  // reported as it is by the caller and adoption may be tried again.
  virtual asio::awaitable<Result<Launched>> adopt(AdoptSpec spec, GuestEventSink sink) = 0;

  // Ends, without asking, what must not or can not be taken over: that process, where one is known; whoever answers at
  // this monitor path; whoever has written the pid file beside it. Succeeds when nobody is there.
  virtual asio::awaitable<Result<void>> sweep(std::string monitor_path, std::optional<ProcessIdentity> process,
                                              Deadline deadline) = 0;
};

}  // namespace vireo::ports
