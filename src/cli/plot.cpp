// Scaling to cells and eighths of cells.
#include "cli/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "cli/table.hpp"

namespace vireo::cli {
namespace {

constexpr std::size_t kEighths = 8;
constexpr double kFourDigits = 999.5;  // what is printed as 1000
constexpr std::array<std::string_view, kEighths> blocks{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array<std::string_view, kEighths> plain_heights{"_", ".", ":", "-", "=", "+", "*", "#"};

std::string digits(double value) {
  return value >= kFourDigits ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

std::string bytes_text(double value) {
  constexpr std::array<std::string_view, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  constexpr double step = 1024;
  std::size_t unit = 0;
  for (; value >= kFourDigits && unit + 1 < units.size(); ++unit) value /= step;
  return digits(value) + " " + std::string(units[unit]);
}

// A value of few digits that is not below `value`, for the end of an axis.
double axis_end(double value, std::string_view unit) {
  if (value <= 0) return 1;
  // Sizes are round in powers of 1024.
  double whole = 1;
  if (unit.starts_with("bytes"))
    for (constexpr double step = 1024; value / whole >= step;) whole *= step;
  const double power = std::pow(10, std::floor(std::log10(value / whole)));
  for (const double digit : {1.0, 2.0, 4.0, 6.0, 8.0})
    if (value <= digit * power * whole) return digit * power * whole;
  return 10 * power * whole;
}

struct Column {
  double sum = 0, most = 0;
  unsigned count = 0;
};

std::vector<Column> columns_of(const std::vector<PlotPoint>& points, const PlotFrame& frame, std::size_t width) {
  std::vector<Column> out(width);
  const auto span_ms = std::max<std::int64_t>(frame.to_ms - frame.from_ms, 1);
  const auto column = [&](std::int64_t at_ms) {
    const auto place = (at_ms - frame.from_ms) * static_cast<std::int64_t>(width) / span_ms;
    return static_cast<std::size_t>(std::clamp<std::int64_t>(place, 0, static_cast<std::int64_t>(width) - 1));
  };
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& point = points[i];
    if (!point.value) continue;
    // After a gap it tells of one period at most.
    auto begin_ms = point.at_ms - frame.period_ms;
    if (i > 0) begin_ms = points[i - 1].value ? points[i - 1].at_ms : std::max(begin_ms, points[i - 1].at_ms);
    const auto last = column(point.at_ms);
    for (auto at = std::min(column(begin_ms + 1), last); at <= last; ++at) {
      out[at].sum += *point.value;
      out[at].most = std::max(out[at].most, *point.value);
      ++out[at].count;
    }
  }
  return out;
}

// How a cell looks whose lower edge is `base` eighths above the axis.
std::string_view cell(std::size_t mean, std::size_t most, std::size_t base, bool plain) {
  if (mean > base) {
    const auto height = std::min(mean - base, kEighths);
    if (!plain) return blocks[height - 1];
    if (height > kEighths / 2) return "#";
    return base == 0 ? "_" : "'";
  }
  if (most > base + kEighths / 2) return plain ? "." : "░";
  return " ";
}

// Where the horizontal axis has its marks: round local times, far enough from each other for their labels.
struct Mark {
  std::size_t column;
  std::string label;
};

std::vector<Mark> marks_of(const PlotFrame& frame, std::size_t width) {
  constexpr std::array<std::int64_t, 18> steps_s{1,   2,    5,    10,   15,   30,     60,     120,    300,
                                                 600, 1200, 1800, 3600, 7200, 14'400, 21'600, 43'200, 86'400};
  constexpr std::size_t room_after = 4;
  const auto span_s = std::max<double>(static_cast<double>(frame.to_ms - frame.from_ms) / 1000, 1);
  const double column_s = span_s / static_cast<double>(width);
  std::int64_t step_s = steps_s.back();
  for (const auto step : steps_s)
    if (static_cast<double>(step) / column_s >= static_cast<double>((step < 60 ? 8 : 5) + room_after)) {
      step_s = step;
      break;
    }
  const std::time_t from_s = frame.from_ms / 1000;
  std::tm local{};
  ::localtime_r(&from_s, &local);
  std::vector<Mark> out;
  const auto shift_s = local.tm_gmtoff;
  for (auto at_s = (from_s + shift_s + step_s - 1) / step_s * step_s - shift_s; at_s * 1000 <= frame.to_ms;
       at_s += step_s) {
    const std::time_t time = at_s;
    ::localtime_r(&time, &local);
    auto label = fmt::format("{:02}:{:02}", local.tm_hour, local.tm_min);
    if (step_s < 60) label += fmt::format(":{:02}", local.tm_sec);
    const auto place = static_cast<double>(at_s * 1000 - frame.from_ms) / 1000 / column_s;
    const auto column = static_cast<std::size_t>(std::max(place, 0.0));
    const auto taken = out.empty() ? 0 : out.back().column + out.back().label.size() + 1;
    if (column >= taken && column + label.size() <= width) out.push_back({.column = column, .label = std::move(label)});
  }
  return out;
}

}  // namespace

std::string quantity_text(double value, std::string_view unit) {
  if (unit == "percent") return digits(value) + " %";
  if (unit == "bytes") return bytes_text(value);
  if (unit == "bytes/s") return bytes_text(value) + "/s";
  if (unit == "1/s") return digits(value) + " /s";
  if (unit == "ms" && value >= 1000) return digits(value / 1000) + " s";
  return digits(value) + " " + std::string(unit);
}

std::string plot(const std::vector<PlotPoint>& points, const PlotFrame& frame) {
  double most = 0;
  for (const auto& point : points) most = std::max(most, point.value.value_or(0));
  const double end = axis_end(most, frame.unit);
  const std::string labels[] = {quantity_text(end, frame.unit), quantity_text(end / 2, frame.unit),
                                quantity_text(0, frame.unit)};
  std::size_t label_width = 0;
  for (const auto& label : labels) label_width = std::max(label_width, label.size());
  const auto width = std::max<std::size_t>(frame.columns, label_width + 12) - label_width - 3;
  // An even number, for the mark in the middle; two lines are the axis.
  const auto height = std::max<std::size_t>(frame.lines, 6) / 2 * 2 - 2;

  const auto columns = columns_of(points, frame, width);
  const auto eighths = [&](double value) {
    const auto level = std::ceil(value / end * static_cast<double>(height * kEighths) - 1e-6);
    return static_cast<std::size_t>(std::max(level, 0.0));
  };
  std::string out;
  const auto begin_line = [&](const std::string& label, std::string_view axis) {
    out += fmt::format(" {:>{}} {}", label, label_width, axis);
  };
  for (std::size_t line = 0; line < height; ++line) {
    const bool marked = line == 0 || line == height / 2;
    begin_line(line == 0 ? labels[0]
               : marked  ? labels[1]
                         : "",
               frame.plain ? (marked ? "+" : "|")
               : marked    ? "┤"
                           : "│");
    std::string cells;
    for (const auto& column : columns)
      cells += column.count == 0 ? " "
                                 : cell(eighths(column.sum / column.count), eighths(column.most),
                                        (height - 1 - line) * kEighths, frame.plain);
    out += cells.substr(0, cells.find_last_not_of(' ') + 1) + "\n";
  }
  const auto marks = marks_of(frame, width);
  begin_line(labels[2], frame.plain ? "+" : "└");
  std::string times;
  for (std::size_t at = 0; at < width; ++at) {
    const bool marked = std::ranges::find(marks, at, &Mark::column) != marks.end();
    out += frame.plain ? (marked ? "+" : "-") : marked ? "┬" : "─";
  }
  for (const auto& mark : marks)
    times += std::string(mark.column - std::min(times.size(), mark.column), ' ') + mark.label;
  out += "\n" + std::string(label_width + 3, ' ') + times + "\n";
  return out;
}

std::string spark_line(const std::vector<std::optional<double>>& values, std::size_t columns, bool plain) {
  if (values.empty() || columns == 0) return {};
  const auto together = (values.size() + columns - 1) / columns;
  std::vector<std::optional<double>> means;
  double most = 0;
  for (std::size_t begin = 0; begin < values.size(); begin += together) {
    double sum = 0;
    unsigned count = 0;
    for (auto at = begin; at < std::min(begin + together, values.size()); ++at)
      if (values[at]) {
        sum += *values[at];
        ++count;
      }
    means.push_back(count > 0 ? std::optional(sum / count) : std::nullopt);
    most = std::max(most, means.back().value_or(0));
  }
  std::string out;
  for (const auto& mean : means) {
    const auto step = mean && most > 0 ? std::lround(*mean / most * (kEighths - 1)) : 0;
    out += !mean ? " " : (plain ? plain_heights : blocks)[static_cast<std::size_t>(step)];
  }
  return out;
}

}  // namespace vireo::cli
