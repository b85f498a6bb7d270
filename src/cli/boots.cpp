// vireo boots: how long the guests of the last storm of starts took, each and together.
#include <boost/json/array.hpp>
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cli/waterfall.hpp"

namespace vireo::cli {
namespace {

std::string time_or_dash(const json::object& object, std::string_view name) {
  const auto& value = object.at(name);
  return value.is_null() ? "-" : duration_text(value.as_int64());
}

}  // namespace

Result<void> boots(const Where& where, bool as_json) {
  auto answer = ask_daemon(where, "GET", "/v1/boots");
  if (!answer) return pass_on(answer);
  if (as_json) return print_json(*answer), Result<void>();
  if (answer->at("storm").is_null()) {
    std::puts("This vireod has started no guest yet.");
    return {};
  }
  const auto& storm = answer->at("storm").as_object();
  fmt::print("storm of {}: {} starts, {} under way, {} failed\n\n", text_of(storm, "began"), text_of(storm, "starts"),
             text_of(storm, "under_way"), text_of(storm, "failed"));
  Table table{{"UNTIL", "GUESTS", "MEAN", "MEDIAN", "P99", "WORST", "ALL"}};
  for (const char* until : {"process", "running", "up"}) {
    if (storm.at(until).is_null()) {
      table.push_back({until, "0", "-", "-", "-", "-", "-"});
      continue;
    }
    const auto& spread = storm.at(until).as_object();
    table.push_back({until, text_of(spread, "count"), time_or_dash(spread, "mean_us"),
                     time_or_dash(spread, "median_us"), time_or_dash(spread, "p99_us"),
                     time_or_dash(spread, "worst_us"), time_or_dash(spread, "total_us")});
  }
  std::fputs((aligned(table) + "\n").c_str(), stdout);
  table = {{"ID", "NAME", "PROCESS", "RUNNING", "UP", "BY", ""}};
  for (const auto& guest : storm.at("guests").as_array()) {
    const auto& row = guest.as_object();
    table.push_back({text_of(row, "id"), text_of(row, "name"), time_or_dash(row, "process_us"),
                     time_or_dash(row, "running_us"), time_or_dash(row, "up_us"), text_of(row, "up_by"),
                     row.at("failed").as_bool()   ? "failed"
                     : row.at("paused").as_bool() ? "started paused"
                                                  : ""});
  }
  std::fputs(aligned(table).c_str(), stdout);
  return {};
}

}  // namespace vireo::cli
