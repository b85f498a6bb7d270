// Scaling steps to columns.
#include "cli/waterfall.hpp"

#include <algorithm>

#include "cli/table.hpp"

namespace vireo::cli {
namespace {

constexpr std::size_t narrowest_bar = 10, widest_bar = 60;

}  // namespace

std::string duration_text(std::int64_t us) {
  if (us < 1'000'000) return fmt::format("{:.1f} ms", static_cast<double>(us) / 1e3);
  return fmt::format("{:.2f} s", static_cast<double>(us) / 1e6);
}

std::string waterfall(const std::vector<Step>& steps, std::size_t columns, bool plain) {
  std::int64_t total_us = 1;
  std::size_t name_width = 0, number_width = 0;
  for (const auto& step : steps) {
    total_us = std::max(total_us, step.end_us);
    name_width = std::max(name_width, width_of(step.name));
    number_width = std::max({number_width, duration_text(step.begin_us).size(), duration_text(step.end_us).size()});
  }
  const auto text_width = name_width + 2 * number_width + 8;
  const auto bar_width = columns > text_width + narrowest_bar ? std::min(columns - text_width, widest_bar) : 0;

  std::string out;
  for (const auto& step : steps) {
    auto line = fmt::format("  {:<{}}  {:>{}}  {:>{}}", step.name, name_width, duration_text(step.begin_us),
                            number_width, duration_text(step.end_us - step.begin_us), number_width);
    if (bar_width > 0) {
      const auto column = [&](std::int64_t us) {
        return static_cast<std::size_t>(us * static_cast<std::int64_t>(bar_width) / total_us);
      };
      const auto first = std::min(column(step.begin_us), bar_width - 1);
      // However short, a step is seen.
      const auto length = std::max<std::size_t>(column(step.end_us), first + 1) - first;
      line += "  " + std::string(first, ' ');
      for (std::size_t i = 0; i < length; ++i) line += plain ? "#" : "█";
    }
    out += line + "\n";
  }
  return out;
}

}  // namespace vireo::cli
