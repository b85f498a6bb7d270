// What the daemon gives this door to answer with: the guests, and what only the wiring knows of the daemon itself.
#pragma once

#include "base/histogram.hpp"
#include "base/loop_meter.hpp"
#include "base/workers.hpp"
#include "core/host.hpp"

namespace vireo::doors::http {

// A number that the daemon keeps of itself; `group` is the part that counts ("libvirt", "http").
struct Counter {
  std::string_view group, name;
  std::uint64_t value = 0;
};

struct DaemonFacts {
  std::string version;
  int pid = 0;
  std::chrono::milliseconds uptime{0};
  std::vector<Counter> counters;
};

// How long the calls of one procedure of libvirt's protocol took.
struct Latency {
  std::string_view procedure;
  Histogram::Figures took;
};

// What a reload of the configuration did.
struct Reloaded {
  std::string file;
  std::vector<std::string> changed;        // options that have another value from now on
  std::vector<std::string> at_next_start;  // options that differ and are read at the daemon's start only
};

// Outlives all connections.
struct Services {
  core::Host& host;      // qemu:///system
  LoopMeter& core_loop;  // the core thread's
  // Any thread; never waits.
  std::function<DaemonFacts()> facts;
  // Core thread. Reads the configuration anew and takes it up. Error: VIR_ERR_CONF_SYNTAX naming file, line and reason,
  // VIR_ERR_SYSTEM_ERROR; then nothing has changed.
  std::function<asio::awaitable<Result<Reloaded>>()> reload;
  // Of the procedures that were called. Any thread; never waits.
  std::function<std::vector<Latency>()> latencies;
  Workers& scrapes;  // for answers that take long to make
};

}  // namespace vireo::doors::http
