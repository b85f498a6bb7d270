// What vireod tells of all guests at one moment (GET /v1/top), as plain values. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vireo::cli::top {

// Totals since the life began, and when they were true.
struct Totals {
  std::int64_t at_us = 0;
  std::int64_t a = 0, b = 0, c = 0;
};

struct Guest {
  std::string name, uuid, state;
  std::optional<std::int64_t> id;
  std::int64_t vcpus = 0, memory_kib = 0;
  std::optional<std::int64_t> rss_kib;
  std::optional<Totals> kernel;  // CPU in ns, bytes received, bytes sent
  std::optional<Totals> disk;    // bytes read, bytes written
  std::optional<double> monitor_ms;
  std::optional<std::int64_t> waiting_ms;  // for the monitor
  std::optional<std::int64_t> age_ms;
  std::string liveness_kind, liveness;

  // From two moments; empty: not known yet.
  std::optional<double> cpu_percent;  // of one processor
  std::optional<double> read_bytes_per_s, written_bytes_per_s, rx_bytes_per_s, tx_bytes_per_s;

  bool active() const { return id.has_value(); }
  bool ill() const { return liveness_kind == "silent" || liveness_kind == "stuck" || liveness_kind == "stopped"; }
};

struct Host {
  std::string name;
  std::int64_t cpus = 1, busy_ms = 0, idle_ms = 0, memory_kib = 0, available_kib = 0;
  double load[3] = {0, 0, 0};
  std::optional<double> cpu_share;  // of all processors; from two moments
};

struct Moment {
  Host host;
  std::vector<Guest> guests;
};

// Throws what Boost.JSON throws when a field is not there or is another thing.
Moment read_moment(const boost::json::object& answer);

// Fills in what follows from the difference to an earlier moment. A guest that has not been measured anew keeps its
// rates; one whose life is another has none.
void compare(Moment& now, const Moment& before);

}  // namespace vireo::cli::top
