// vireo trace: where the time of a guest's last start went.
#include <boost/json/array.hpp>
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/http_client.hpp"
#include "cli/terminal.hpp"
#include "cli/waterfall.hpp"

namespace vireo::cli {
namespace {

std::vector<Step> steps_of(const json::object& launch) {
  std::vector<Step> steps;
  const auto& all = launch.at("steps").as_array();
  steps.reserve(all.size());
  for (const auto& step : all)
    steps.push_back({.name = std::string(step.at("name").as_string()),
                     .begin_us = step.at("begin_us").as_int64(),
                     .end_us = step.at("end_us").as_int64()});
  return steps;
}

}  // namespace

Result<void> trace(const Where& where, const std::string& domain, bool as_json) {
  auto answer = ask_daemon(where, "GET", "/v1/domains/" + escape_part(domain) + "/trace");
  if (!answer) return pass_on(answer);
  if (as_json) return print_json(*answer), Result<void>();
  const auto name = text_of(answer->at("domain").as_object(), "name");
  if (answer->at("launch").is_null())
    return fail(VIR_ERR_SYSTEM_ERROR, "this vireod has not started '" + name + "'; start it, then ask again");
  const auto& launch = answer->at("launch").as_object();
  const bool failed = !launch.at("error").is_null();
  fmt::print("{}: start of {}, {} after {}\n", name, text_of(launch, "began"), failed ? "failed" : "done",
             duration_text(launch.at("total_us").as_int64()));
  std::fputs(waterfall(steps_of(launch), terminal_size().columns, !shows_blocks()).c_str(), stdout);
  if (const auto* boot = answer->at("boot").if_object(); boot && !failed)
    for (const char* until : {"process", "running", "up"})
      if (const auto& us = boot->at(std::string(until) + "_us"); !us.is_null())
        fmt::print("until {}: {}\n", until, duration_text(us.as_int64()));
  for (const auto& lost : launch.at("lost").as_array()) fmt::print("without: {}\n", std::string_view(lost.as_string()));
  if (failed) fmt::print("error: {}\n", text_of(launch, "error"));
  return {};
}

}  // namespace vireo::cli
