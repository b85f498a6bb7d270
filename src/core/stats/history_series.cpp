// The table, and its scales.
#include "core/stats/history_series.hpp"

#include <algorithm>
#include <cmath>

namespace vireo::core {
namespace {

// The last step of each is far beyond what a host can do.
constexpr Scale share{.least = 0.01, .base = 10, .steps_per_power = 145};             // to 1000 processors
constexpr Scale size{.least = 4096, .base = 2, .steps_per_power = 32, .even = true};  // to 15 TiB
constexpr Scale byte_rate{.least = 1, .base = 10, .steps_per_power = 85};             // to 1 TB/s
constexpr Scale rate{.least = 0.001, .base = 10, .steps_per_power = 92};              // to 100 million a second
constexpr Scale milliseconds{.least = 0.001, .base = 10, .steps_per_power = 113};     // to 18 minutes

constexpr std::array<SeriesInfo, kSeries> table{{
    {"cpu", "percent", "Processor time that the guest used, in percent of one processor", &share},
    {"cpu-delay", "percent", "Time for which its vCPUs were ready and had no processor, in percent of one", &share},
    {"memory", "bytes", "Memory of the host that the guest's process has", &size},
    {"memory-balloon", "bytes", "Memory that the balloon leaves to the guest", &size},
    {"memory-used", "bytes", "Memory in use inside the guest, as its balloon driver reports", &size},
    {"disk-read", "bytes/s", "Bytes read from all disks", &byte_rate},
    {"disk-write", "bytes/s", "Bytes written to all disks", &byte_rate},
    {"disk-read-requests", "1/s", "Read requests to all disks", &rate},
    {"disk-write-requests", "1/s", "Write requests to all disks", &rate},
    {"disk-flushes", "1/s", "Flush requests to all disks", &rate},
    {"disk-read-latency", "ms", "Mean time that a read request took", &milliseconds},
    {"disk-write-latency", "ms", "Mean time that a write request took", &milliseconds},
    {"disk-failures", "1/s", "Requests to disks that failed", &rate},
    {"net-receive", "bytes/s", "Bytes that the guest received, over all interfaces", &byte_rate},
    {"net-send", "bytes/s", "Bytes that the guest sent, over all interfaces", &byte_rate},
    {"net-receive-packets", "1/s", "Packets that the guest received", &rate},
    {"net-send-packets", "1/s", "Packets that the guest sent", &rate},
    {"cpu-stall", "percent", "Time in which some of its threads waited for a processor (pressure)", &share},
    {"memory-stall", "percent", "Time in which some of its threads waited for memory (pressure)", &share},
    {"io-stall", "percent", "Time in which some of its threads waited for input or output (pressure)", &share},
    {"monitor", "ms", "Time that QEMU's monitor took to answer", &milliseconds},
}};

}  // namespace

Code encode(const Scale& scale, const std::optional<double>& value) {
  if (!value || !std::isfinite(*value) || *value < 0) return kAbsent;
  if (*value < scale.least / 2) return kZero;
  const double base = scale.base, powers = std::log(*value / scale.least) / std::log(base);
  double step = powers * scale.steps_per_power;
  if (scale.even) {
    const double whole = std::floor(powers);
    step = (whole + (*value / scale.least / std::pow(base, whole) - 1) / (base - 1)) * scale.steps_per_power;
  }
  return static_cast<Code>(std::clamp(std::round(step), 0.0, static_cast<double>(kLastStep - kFirstStep)) + kFirstStep);
}

std::optional<double> decode(const Scale& scale, Code code) {
  if (code == kAbsent) return std::nullopt;
  if (code == kZero) return 0;
  const double base = scale.base, powers = static_cast<double>(code - kFirstStep) / scale.steps_per_power;
  if (!scale.even) return scale.least * std::pow(base, powers);
  const double whole = std::floor(powers);
  return scale.least * std::pow(base, whole) * (1 + (powers - whole) * (base - 1));
}

const std::array<SeriesInfo, kSeries>& series_table() { return table; }

std::optional<Series> find_series(std::string_view name) {
  const auto* found = std::ranges::find(table, name, &SeriesInfo::name);
  if (found == table.end()) return std::nullopt;
  return static_cast<Series>(found - table.begin());
}

std::string series_names() {
  std::string out;
  for (const auto& series : table) out += (out.empty() ? "" : ", ") + std::string(series.name);
  return out;
}

}  // namespace vireo::core
