// vireo status: what the daemon says of itself, with the counters of each of its parts.
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/table.hpp"

namespace vireo::cli {
namespace {

std::string span_text(std::int64_t ms) {
  const auto seconds = ms / 1000;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{} h {} min", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{} d {} h", seconds / 86'400, seconds % 86'400 / 3600);
}

}  // namespace

Result<void> status(const Where& where, bool as_json) {
  auto answer = ask_daemon(where, "GET", "/v1/daemon");
  if (!answer) return pass_on(answer);
  if (as_json) return print_json(*answer), Result<void>();
  const auto& domains = answer->at("domains").as_object();
  Table table{{"vireod", text_of(*answer, "version")},
              {"pid", text_of(*answer, "pid")},
              {"up for", span_text(answer->at("uptime_ms").as_int64())},
              {"guests", text_of(domains, "running") + " running, " + text_of(domains, "shut_off") + " shut off"}};
  for (const auto& [group, counters] : answer->at("counters").as_object())
    for (const auto& [name, value] : counters.as_object()) {
      std::string label = std::string(group) + " " + std::string(name);
      std::ranges::replace(label, '_', ' ');
      table.push_back({std::move(label), text_of(counters.as_object(), name)});
    }
  std::fputs(aligned(table).c_str(), stdout);
  return {};
}

}  // namespace vireo::cli
