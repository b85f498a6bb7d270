// The table and its JSON. See result.hpp.
#include "result.hpp"

#include "../report.hpp"

namespace vireo::bench::xenstore {
namespace {

struct Line {
  const char* name;
  bool is_time;
  std::optional<double> (*value)(const Figures& figures);
};
constexpr Line all_lines[] = {
    {"wall", true, [](const Figures& figures) { return std::optional(figures.wall_us); }},
    {"server", true, [](const Figures& figures) { return std::optional(figures.server_us); }},
    {"lost, a commit", false, [](const Figures& figures) { return figures.conflicts; }},
    {"bytes a node", false, [](const Figures& figures) { return figures.bytes; }},
};

std::string text_of(const Line& line, std::optional<double> value) {
  if (!value) return "-";
  return line.is_time ? fmt::format("{:.2f} us", *value) : fmt::format("{:.2f}", *value);
}

}  // namespace

std::string Results::head() const {
  std::string out = fmt::format("{:<58}", "operation");
  for (const auto& name : contenders) out += fmt::format("{:>14}", name);
  for (const auto& name : contenders)
    if (name != "vireo" && name != "floor") out += fmt::format("{:>14}", name + "/vireo");
  return out + "\n";
}

std::string Results::lines(const RowResult& row) const {
  std::string out;
  for (const auto& line : all_lines) {
    std::vector<std::optional<double>> values;
    std::optional<double> vireo;
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      values.push_back(row.of[i] ? line.value(*row.of[i]) : std::nullopt);
      if (contenders[i] == "vireo") vireo = values.back();
    }
    if (std::ranges::none_of(values, [](const auto& value) { return value.has_value(); })) continue;
    out += fmt::format("{:<43}{:<15}", out.empty() ? row.name : "", line.name);
    for (const auto& value : values) out += fmt::format("{:>14}", text_of(line, value));
    for (std::size_t i = 0; i < contenders.size(); ++i)
      if (contenders[i] != "vireo" && contenders[i] != "floor")
        out += fmt::format("{:>14}", ratio_text(values[i], vireo));
    out += "\n";
  }
  return out;
}

Result<void> Results::write_json(const std::string& path) const {
  // Names of rows and contenders are ours and need no escaping.
  std::string out = "{\"rows\": [";
  for (const auto& row : rows) {
    out += fmt::format("{}\n  {{\"row\": \"{}\"", &row == &rows.front() ? "" : ",", row.name);
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      if (!row.of[i]) continue;
      const auto& figures = *row.of[i];
      out += fmt::format(", \"{}\": {{\"wall_us\": {:.3f}, \"server_us\": {:.3f}", contenders[i], figures.wall_us,
                         figures.server_us);
      if (figures.conflicts) out += fmt::format(", \"conflicts\": {:.3f}", *figures.conflicts);
      if (figures.bytes) out += fmt::format(", \"bytes_per_node\": {:.1f}", *figures.bytes);
      out += "}";
    }
    out += "}";
  }
  out += "\n]}\n";
  return write_file(path, out);
}

const Figures* Results::find(std::string_view name, std::string_view contender) const {
  for (const auto& row : rows)
    for (std::size_t i = 0; i < contenders.size(); ++i)
      if (row.name == name && contenders[i] == contender) return row.of[i] ? &*row.of[i] : nullptr;
  return nullptr;
}

}  // namespace vireo::bench::xenstore
