// How long a guest took to be up, and what is kept of the starts of all guests: the last storm and the last launches.
// Immutable values, published by the core (core/boot_log.hpp); `vireo boots` and `vireo phases` print them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/persistent_map.hpp"
#include "base/uuid.hpp"
#include "model/launch_trace.hpp"

namespace vireo::model {

// What a guest has shown to say that it is up; the first of them counts.
enum class UpSign {
  none,
  agent,    // it has opened the channel org.qemu.guest_agent.0
  console,  // its console has printed what <vireo:up console="…"/> in its metadata names
  network,  // it has sent a packet, where its metadata have <vireo:up network="yes"/>
};

// One start of a guest. The times are microseconds since the start was asked for; none: not yet, or never.
struct BootTimes {
  Uuid uuid;
  std::string name;
  int id = -1;          // -1: none was given to it yet
  bool paused = false;  // it was to be started paused: it runs when somebody resumes it
  bool failed = false;
  std::chrono::system_clock::time_point began;
  std::int64_t offset_us = 0;              // when it was asked for, since the first call of its storm
  std::optional<std::int64_t> process_us;  // there is a process
  std::optional<std::int64_t> running_us;  // its vCPUs run
  std::optional<std::int64_t> up_us;       // it says that it is up
  UpSign up_by = UpSign::none;             // without up_us: it did so while no daemon looked
};
using BootTimesPtr = std::shared_ptr<const BootTimes>;

// What is kept of all starts since the daemon began.
struct LaunchHistory {
  static constexpr std::uint64_t kept_launches = 4096;

  // The last storm: starts of which each began while another was under way, or soon after. By their number, which
  // grows.
  PersistentMap<std::uint64_t, BootTimesPtr> storm;
  unsigned under_way = 0;

  // The last launches that succeeded, by their number: `succeeded` is the last one's.
  PersistentMap<std::uint64_t, LaunchTracePtr> launches;
  std::uint64_t succeeded = 0, failed = 0;
  // In which phase those that failed did so, and how many; in no order.
  std::vector<std::pair<std::string, std::uint64_t>> failed_in;

  // How long each phase took in all launches that succeeded, added up; in no order.
  struct Phase {
    const char* name;  // lives for ever
    std::uint64_t count = 0;
    std::int64_t total_us = 0;
  };
  std::vector<Phase> phases;
  std::int64_t total_us = 0;  // of the whole launches
};

}  // namespace vireo::model
