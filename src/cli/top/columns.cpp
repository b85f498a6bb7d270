// The table of columns, and making text fit.
#include "cli/top/columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/table.hpp"

namespace vireo::cli::top {
namespace {

std::string amount_or_dash(std::optional<double> number) { return number ? amount_text(*number) : "-"; }

template <class Number>
std::optional<double> of_kib(std::optional<Number> kib) {
  return kib ? std::optional(static_cast<double>(*kib) * 1024) : std::nullopt;
}

std::string time_text(const Guest& guest) {
  if (!guest.kernel) return "-";
  const auto seconds = guest.kernel->a / 1'000'000'000;
  if (seconds < 3600) return fmt::format("{}:{:02}", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}", seconds / 3600, seconds % 3600 / 60);
}

std::string monitor_text(const Guest& guest) {
  if (!guest.monitor_ms) return "-";
  return *guest.monitor_ms < 100 ? fmt::format("{:.1f}", *guest.monitor_ms) : fmt::format("{:.0f}", *guest.monitor_ms);
}

std::string age_text(const Guest& guest) {
  if (!guest.age_ms) return "-";
  const auto s = *guest.age_ms / 1000;
  if (s < 1000) return fmt::format("{}s", s);
  return s < 60'000 ? fmt::format("{}m", s / 60) : fmt::format("{}h", s / 3600);
}

int illness(const Guest& guest) {
  constexpr std::array<std::string_view, 6> order{"shut_off", "healthy", "busy", "silent", "stuck", "stopped"};
  return static_cast<int>(std::ranges::find(order, guest.liveness_kind) - order.begin());
}

std::int64_t cpu_ns(const Guest& guest) { return guest.kernel ? guest.kernel->a : -1; }

template <auto Member>
bool less_by(const Guest& a, const Guest& b) {
  return a.*Member < b.*Member;
}

constexpr std::array<Column, 14> table{{
    {"name", "NAME", 12, false, false, false, [](const Guest& g) { return g.name; }, less_by<&Guest::name>},
    {"state", "STATE", 7, false, false, false, [](const Guest& g) { return g.state; }, less_by<&Guest::state>},
    {"cpu", "CPU%", 5, true, false, true, [](const Guest& g) { return percent_text(g.cpu_percent); },
     less_by<&Guest::cpu_percent>},
    {"bar", "", 8, false, true, true,
     [](const Guest& g) {
       return bar_text(g.cpu_percent.value_or(0) / 100 / static_cast<double>(std::max<std::int64_t>(g.vcpus, 1)), 8);
     },
     [](const Guest& a, const Guest& b) { return a.cpu_percent < b.cpu_percent; }},
    {"time", "TIME", 6, true, true, true, time_text,
     [](const Guest& a, const Guest& b) { return cpu_ns(a) < cpu_ns(b); }},
    {"mem", "MEM", 4, true, false, true,
     [](const Guest& g) { return amount_text(static_cast<double>(g.memory_kib) * 1024); }, less_by<&Guest::memory_kib>},
    {"rss", "RSS", 4, true, false, true, [](const Guest& g) { return amount_or_dash(of_kib(g.rss_kib)); },
     less_by<&Guest::rss_kib>},
    {"read", "RD/s", 4, true, false, true, [](const Guest& g) { return amount_or_dash(g.read_bytes_per_s); },
     less_by<&Guest::read_bytes_per_s>},
    {"write", "WR/s", 4, true, false, true, [](const Guest& g) { return amount_or_dash(g.written_bytes_per_s); },
     less_by<&Guest::written_bytes_per_s>},
    {"rx", "RX/s", 4, true, false, true, [](const Guest& g) { return amount_or_dash(g.rx_bytes_per_s); },
     less_by<&Guest::rx_bytes_per_s>},
    {"tx", "TX/s", 4, true, false, true, [](const Guest& g) { return amount_or_dash(g.tx_bytes_per_s); },
     less_by<&Guest::tx_bytes_per_s>},
    {"mon", "MONms", 5, true, false, true, monitor_text, less_by<&Guest::monitor_ms>},
    {"age", "AGE", 4, true, false, true, age_text, less_by<&Guest::age_ms>},
    {"liveness", "LIVENESS", 0, false, false, true,
     [](const Guest& g) { return g.active() || g.liveness_kind != "shut_off" ? g.liveness : std::string(); },
     [](const Guest& a, const Guest& b) {
       return illness(a) != illness(b) ? illness(a) < illness(b) : a.waiting_ms < b.waiting_ms;
     }},
}};

constexpr int kLeastRest = 11, kWideFrom = 110;

}  // namespace

std::span<const Column> columns() { return table; }

std::optional<std::size_t> column_of(std::string_view key) {
  const auto found = std::ranges::find(table, key, &Column::key);
  return found == table.end() ? std::nullopt : std::optional<std::size_t>(found - table.begin());
}

std::vector<Placed> layout(int screen_width) {
  std::vector<Placed> out;
  int used = 0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].only_wide && screen_width < kWideFrom) continue;
    out.push_back({.column = i, .width = table[i].width});
    used += table[i].width + 1;
  }
  // What is left goes to names, as far as names are long, and to the sentence.
  int rest = std::max(screen_width - used, kLeastRest);
  if (rest > 40) {
    const int more = std::min(rest - 40, 20);
    out.front().width += more;
    rest -= more;
  }
  out.back().width = rest;
  return out;
}

std::string amount_text(double number) {
  constexpr std::string_view units = " KMGTPE";
  std::size_t unit = 0;
  while (number >= 999.5 && unit + 1 < units.size()) {
    number /= 1024;
    ++unit;
  }
  if (unit == 0) return fmt::format("{:.0f}", number);
  // Where rounding would take it to two digits it has no place behind the point.
  return fmt::format("{:.{}f}{}", number, number < 9.95 ? 1 : 0, units[unit]);
}

std::string percent_text(std::optional<double> percent) {
  if (!percent) return "-";
  return *percent < 999.95 ? fmt::format("{:.1f}", *percent) : fmt::format("{:.0f}", *percent);
}

std::string bar_text(double share, int width) {
  const auto full = std::clamp(static_cast<int>(std::lround(share * width)), 0, width);
  return std::string(static_cast<std::size_t>(full), '|') + std::string(static_cast<std::size_t>(width - full), ' ');
}

std::string fitted(std::string_view text, int width, bool right) {
  const auto wanted = static_cast<std::size_t>(std::max(width, 0));
  std::string out(text);
  auto has = width_of(out);
  if (has > wanted) {
    // Up to the first byte of the character that is too much.
    std::size_t characters = 0, end = 0;
    for (; end < out.size(); ++end)
      if ((static_cast<unsigned char>(out[end]) & 0xc0) != 0x80 && ++characters > wanted) break;
    out.resize(end);
    has = wanted;
  }
  const std::string room(wanted - has, ' ');
  return right ? room + out : out + room;
}

}  // namespace vireo::cli::top
