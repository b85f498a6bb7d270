// A guest's definition: what a user asked for, completed with defaults and addresses, as one plain value. A running
// guest's live definition is the same value with the fields marked "live only" filled in. Values are copied, changed
// and then shared as const; nobody changes one that others can see. Knows nothing of XML or QEMU.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.hpp"
#include "model/devices/chardev.hpp"
#include "model/devices/disk.hpp"
#include "model/devices/display.hpp"
#include "model/devices/interface.hpp"
#include "model/devices/system.hpp"
#include "model/names.hpp"
#include "model/seclabel.hpp"

namespace vireo::model {

enum class VirtType { qemu, kvm, test };
template <>
inline constexpr auto names_of<VirtType> = std::to_array<std::string_view>({"qemu", "kvm", "test"});

enum class BootDevice { fd, hd, cdrom, network };
template <>
inline constexpr auto names_of<BootDevice> = std::to_array<std::string_view>({"fd", "hd", "cdrom", "network"});

enum class LifecycleAction { unset, destroy, restart, rename_restart, preserve, coredump_destroy, coredump_restart };
template <>
inline constexpr auto names_of<LifecycleAction> = std::to_array<std::string_view>(
    {"", "destroy", "restart", "rename-restart", "preserve", "coredump-destroy", "coredump-restart"});

enum class LockFailureAction { unset, poweroff, restart, pause, ignore };
template <>
inline constexpr auto names_of<LockFailureAction> =
    std::to_array<std::string_view>({"", "poweroff", "restart", "pause", "ignore"});

// One application's element below <metadata>, kept as it came.
struct MetadataElement {
  std::string namespace_uri;
  std::string xml;

  bool operator==(const MetadataElement&) const = default;
};

// How a guest that is marked for autostart starts with its host: what Vireo's own element below <metadata> says.
struct AutostartPlan {
  std::optional<unsigned> order;  // lower ones first; without one: after all that have one
  unsigned delay_s = 0;           // from when the guest is up until the next order begins

  bool operator==(const AutostartPlan&) const = default;
};

// By which signs a guest wants it to be known that it is up, beside its agent's.
struct UpWishes {
  std::string console;   // what its console prints then; empty: nothing
  bool network = false;  // the first packet that it sends

  bool operator==(const UpWishes&) const = default;
};

struct Os {
  std::string type;  // "hvm"
  std::string arch;
  std::string machine;
  std::string kernel, initrd, cmdline;
  std::vector<BootDevice> boot;
  std::optional<bool> boot_menu;
  std::optional<unsigned> boot_menu_timeout_ms;
  std::optional<bool> bios_useserial;
  std::optional<int> bios_reboot_timeout_ms;  // -1: no reboot

  bool operator==(const Os&) const = default;
};

struct Features {
  bool acpi = false, pae = false;
  bool apic = false;
  std::optional<bool> apic_eoi;
  std::optional<bool> pmu, vmport, smm;
  std::optional<bool> kvm_hidden;

  bool operator==(const Features&) const = default;
};

enum class CpuMode { unset, custom, host_model, host_passthrough, maximum };
template <>
inline constexpr auto names_of<CpuMode> =
    std::to_array<std::string_view>({"", "custom", "host-model", "host-passthrough", "maximum"});

enum class CpuMatch { unset, minimum, exact, strict };
template <>
inline constexpr auto names_of<CpuMatch> = std::to_array<std::string_view>({"", "minimum", "exact", "strict"});

enum class CpuCheck { unset, none, partial, full };
template <>
inline constexpr auto names_of<CpuCheck> = std::to_array<std::string_view>({"", "none", "partial", "full"});

enum class CpuFallback { unset, allow, forbid };
template <>
inline constexpr auto names_of<CpuFallback> = std::to_array<std::string_view>({"", "allow", "forbid"});

enum class CpuFeaturePolicy { unset, force, require, optional, disable, forbid };
template <>
inline constexpr auto names_of<CpuFeaturePolicy> =
    std::to_array<std::string_view>({"", "force", "require", "optional", "disable", "forbid"});

struct CpuFeature {
  CpuFeaturePolicy policy = CpuFeaturePolicy::unset;
  std::string name;

  bool operator==(const CpuFeature&) const = default;
};

struct CpuTopology {
  unsigned sockets = 1, dies = 1, cores = 1, threads = 1;

  unsigned total() const { return sockets * dies * cores * threads; }
  bool operator==(const CpuTopology&) const = default;
};

struct Cpu {
  CpuMode mode = CpuMode::unset;
  CpuMatch match = CpuMatch::unset;
  CpuCheck check = CpuCheck::unset;
  std::optional<bool> migratable;
  std::string model;
  CpuFallback fallback = CpuFallback::unset;
  std::string vendor;
  std::optional<CpuTopology> topology;
  std::vector<CpuFeature> features;

  bool operator==(const Cpu&) const = default;
};

enum class ClockOffset { utc, localtime };
template <>
inline constexpr auto names_of<ClockOffset> = std::to_array<std::string_view>({"utc", "localtime"});

enum class TimerName { rtc, pit, hpet, tsc, kvmclock, hypervclock, platform };
template <>
inline constexpr auto names_of<TimerName> =
    std::to_array<std::string_view>({"rtc", "pit", "hpet", "tsc", "kvmclock", "hypervclock", "platform"});

enum class TickPolicy { unset, delay, catchup, merge, discard };
template <>
inline constexpr auto names_of<TickPolicy> =
    std::to_array<std::string_view>({"", "delay", "catchup", "merge", "discard"});

enum class TimerTrack { unset, guest, wall };
template <>
inline constexpr auto names_of<TimerTrack> = std::to_array<std::string_view>({"", "guest", "wall"});

struct Timer {
  TimerName name = TimerName::rtc;
  TickPolicy tick_policy = TickPolicy::unset;
  TimerTrack track = TimerTrack::unset;
  std::optional<bool> present;

  bool operator==(const Timer&) const = default;
};

struct Clock {
  ClockOffset offset = ClockOffset::utc;
  std::vector<Timer> timers;

  bool operator==(const Clock&) const = default;
};

// What a reader of <pm> finds: whether the guest may be told that it can sleep.
struct PowerManagement {
  std::optional<bool> suspend_to_mem, suspend_to_disk;

  bool operator==(const PowerManagement&) const = default;
};

// What the host's control groups leave the guest's process. The process is more than the guest's own memory.
struct MemoryTune {
  std::optional<std::uint64_t> hard_limit_kib;       // it is killed beyond that
  std::optional<std::uint64_t> soft_limit_kib;       // it is pressed back to that when the host runs short
  std::optional<std::uint64_t> swap_hard_limit_kib;  // memory and swap together

  bool operator==(const MemoryTune&) const = default;
};

struct CpuTune {
  std::optional<std::uint64_t> shares;  // relative to other guests
  // In each period, how much of one processor's time: each vCPU, and the whole process. Negative: no limit.
  std::optional<std::uint64_t> period_us;
  std::optional<std::int64_t> quota_us;
  std::optional<std::uint64_t> global_period_us;
  std::optional<std::int64_t> global_quota_us;

  bool operator==(const CpuTune&) const = default;
};

struct Devices {
  std::string emulator;  // absolute path
  std::vector<Disk> disks;
  std::vector<Controller> controllers;
  std::vector<Interface> interfaces;
  std::vector<Serial> serials;
  std::vector<Console> consoles;
  std::vector<Channel> channels;
  std::vector<Input> inputs;
  std::vector<Graphics> graphics;
  std::vector<Audio> audios;
  std::vector<Video> videos;
  std::optional<MemBalloon> memballoon;
  std::vector<Rng> rngs;
  std::vector<Panic> panics;

  bool operator==(const Devices&) const = default;
};

struct DomainDef {
  VirtType type = VirtType::qemu;
  std::optional<int> id;  // live only
  std::string name;
  Uuid uuid;
  std::string title;
  std::string description;
  std::vector<MetadataElement> metadata;
  AutostartPlan autostart_plan;          // as `metadata` says it
  UpWishes up;                           // the same
  std::uint64_t memory_kib = 0;          // what the guest is built with
  std::uint64_t current_memory_kib = 0;  // what the balloon leaves it
  MemoryTune memtune;
  bool memory_locked = false;  // the guest's memory is never swapped out
  unsigned vcpus_max = 1;
  std::optional<unsigned> vcpus_current;  // said only if it is less than the maximum
  std::string vcpu_placement;             // "static" once complete
  CpuTune cputune;
  Os os;
  Features features;
  std::optional<Cpu> cpu;
  Clock clock;
  LifecycleAction on_poweroff = LifecycleAction::unset;
  LifecycleAction on_reboot = LifecycleAction::unset;
  LifecycleAction on_crash = LifecycleAction::unset;
  LockFailureAction on_lockfailure = LockFailureAction::unset;
  PowerManagement pm;
  Devices devices;
  std::vector<SecLabel> seclabels;

  // The guest's label of a model; null: it says nothing of it.
  const SecLabel* seclabel(std::string_view security_model) const {
    for (const auto& label : seclabels)
      if (label.model == security_model) return &label;
    return nullptr;
  }
  unsigned vcpus() const { return vcpus_current.value_or(vcpus_max); }
  bool operator==(const DomainDef&) const = default;
};

using DomainDefPtr = std::shared_ptr<const DomainDef>;

}  // namespace vireo::model
