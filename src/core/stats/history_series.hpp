// Which figures of a guest are kept over time: one table with the name that users type, the unit and what it means, and
// how a value becomes one of 1024 codes. A code is a step on a logarithmic scale, so that a value of any size is kept
// with an error of at most kMostError of itself. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vireo::core {

// In the order of the table.
enum class Series : std::uint8_t {
  cpu,
  cpu_delay,
  memory,
  memory_balloon,
  memory_used,
  disk_read,
  disk_write,
  disk_read_requests,
  disk_write_requests,
  disk_flushes,
  disk_read_latency,
  disk_write_latency,
  disk_failures,
  net_receive,
  net_send,
  net_receive_packets,
  net_send_packets,
  cpu_stall,
  memory_stall,
  io_stall,
  monitor,
};
inline constexpr std::size_t kSeries = 21;

// The values of all series at one moment; empty: not known then.
using Row = std::array<std::optional<double>, kSeries>;

using Code = std::uint16_t;
inline constexpr unsigned kCodeBits = 10;
inline constexpr Code kAbsent = 0, kZero = 1, kFirstStep = 2, kLastStep = (1 << kCodeBits) - 1;
using Codes = std::array<Code, kSeries>;

inline constexpr double kMostError = 0.0155;

// The step n is `least` times `base` to the power of n / `steps_per_power`: the powers of the base are kept exactly. If
// it is `even`, the steps from one power to the next are of one size, so that their halves and quarters are kept
// exactly, too: what sizes people give to guests.
struct Scale {
  double least;
  unsigned base, steps_per_power;
  bool even = false;
};

// What is below half the least step is zero, what is beyond the last is the last.
Code encode(const Scale& scale, const std::optional<double>& value);
std::optional<double> decode(const Scale& scale, Code code);

struct SeriesInfo {
  std::string_view name;
  std::string_view unit;  // "percent", "bytes", "bytes/s", "1/s", "ms"
  std::string_view meaning;
  const Scale* scale;
};
const std::array<SeriesInfo, kSeries>& series_table();
inline const SeriesInfo& info_of(Series series) { return series_table()[static_cast<std::size_t>(series)]; }
std::optional<Series> find_series(std::string_view name);
// "cpu, cpu-delay, …"
std::string series_names();

}  // namespace vireo::core
