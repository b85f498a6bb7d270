// Figures over time, drawn with characters: a plot with axes, and a line of bars. Pure, but for the time zone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::cli {

// "37.5 %", "1.5 GiB", "12 MiB/s", "0.3 /s", "1.2 ms": three digits, of the daemon's units ("percent", "bytes",
// "bytes/s", "1/s", "ms").
std::string quantity_text(double value, std::string_view unit);

// A value tells of the time since the point before it; none: a gap.
struct PlotPoint {
  std::int64_t at_ms = 0;  // since the epoch
  std::optional<double> value;
};

struct PlotFrame {
  std::size_t columns = 80, lines = 24;  // of the whole
  bool plain = false;                    // ASCII alone
  std::int64_t from_ms = 0, to_ms = 0;   // what the horizontal axis shows, in local time
  std::int64_t period_ms = 0;            // the usual distance of points
  std::string_view unit;
};

// Bars from zero: as high as the mean of each column's time, and lighter up to its maximum. No line is wider than the
// frame, which has at least 30 columns and 6 lines.
std::string plot(const std::vector<PlotPoint>& points, const PlotFrame& frame);

// Bars of one character each, as high as their value is of the largest; at most `columns` of them, each the mean of as
// many values.
std::string spark_line(const std::vector<std::optional<double>>& values, std::size_t columns, bool plain);

}  // namespace vireo::cli
