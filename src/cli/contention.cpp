// vireo contention: where anything waited in the daemon, most total first, as a report of mutex contention has it.
#include <unistd.h>
#include <boost/json/array.hpp>

#include <chrono>
#include <cstdio>
#include <thread>

#include "cli/commands.hpp"
#include "cli/table.hpp"

namespace vireo::cli {
namespace {

std::string us(const json::value& number) { return std::to_string(number.as_int64()); }

std::string report(const json::object& answer) {
  const auto& core = answer.at("core").as_object();
  std::string out = fmt::format(
      "in {:.1f} s: the core thread was busy {:.1f} % of the time, its longest turn took {} us; waits in "
      "microseconds\n",
      static_cast<double>(answer.at("span_us").as_int64()) / 1e6, 100 * core.at("load").as_double(),
      us(core.at("longest_turn_us")));
  const auto& sites = answer.at("sites").as_array();
  if (sites.empty()) return out + "nothing has waited\n";
  Table table{{"TOTAL", "COUNT", "AVERAGE", "MAXIMUM", "KIND", "WAITED FOR", "AT", "HELD BY"}};
  for (const auto& each : sites) {
    const auto& site = each.as_object();
    table.push_back({us(site.at("total_us")), text_of(site, "count"), us(site.at("average_us")),
                     us(site.at("maximum_us")), text_of(site, "kind"), text_of(site, "waited_for"),
                     fmt::format("{} ({}:{})", text_of(site, "function"), text_of(site, "file"), text_of(site, "line")),
                     text_of(site, "held_by")});
  }
  return out + aligned(table);
}

}  // namespace

Result<void> contention(const Where& where, const ContentionOptions& options, bool as_json) {
  for (;;) {
    // Watching shows one second at a time, so each look begins the figures anew.
    const bool reset = options.reset || options.watch;
    auto answer =
        reset ? ask_daemon(where, "POST", "/v1/contention/reset") : ask_daemon(where, "GET", "/v1/contention");
    if (!answer) return pass_on(answer);
    if (as_json) {
      print_json(*answer);
    } else {
      if (options.watch && ::isatty(STDOUT_FILENO) != 0) std::fputs("\033[H\033[J", stdout);
      std::fputs(report(*answer).c_str(), stdout);
    }
    if (!options.watch) return {};
    if (std::fflush(stdout) != 0) return fail(VIR_ERR_SYSTEM_ERROR, "cannot write the answer");
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

}  // namespace vireo::cli
