// vireo phases: how long each phase of a launch takes.
#include <boost/json/array.hpp>
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cli/waterfall.hpp"

namespace vireo::cli {
namespace {

std::vector<std::string> row_of(std::string name, const json::object& spread, std::string failed) {
  std::vector<std::string> row{std::move(name), text_of(spread, "count")};
  for (const char* figure : {"mean_us", "median_us", "p99_us", "worst_us", "total_us"})
    row.push_back(duration_text(spread.at(figure).as_int64()));
  row.push_back(std::move(failed));
  return row;
}

}  // namespace

Result<void> phases(const Where& where, bool as_json) {
  auto answer = ask_daemon(where, "GET", "/v1/phases");
  if (!answer) return pass_on(answer);
  if (as_json) return print_json(*answer), Result<void>();
  fmt::print("{} launches since the daemon began, and {} that failed; the times are of the last {}\n\n",
             text_of(*answer, "launches"), text_of(*answer, "failed"), text_of(*answer, "kept"));
  Table table{{"PHASE", "COUNT", "MEAN", "MEDIAN", "P99", "WORST", "TOTAL", "FAILED"}};
  for (const auto& phase : answer->at("phases").as_array()) {
    const auto& row = phase.as_object();
    table.push_back(row_of(text_of(row, "name"), row, text_of(row, "failed")));
  }
  table.push_back(row_of("(all)", answer->at("launch").as_object(), text_of(*answer, "failed")));
  std::fputs(aligned(table).c_str(), stdout);
  return {};
}

}  // namespace vireo::cli
