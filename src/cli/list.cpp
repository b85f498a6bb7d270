// vireo list: every guest, one line each.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/table.hpp"

namespace vireo::cli {

void print_json(const json::object& answer) { std::puts(json::serialize(answer).c_str()); }

Result<void> list(const Where& where, bool as_json) {
  auto answer = ask_daemon(where, "GET", "/v1/domains");
  if (!answer) return pass_on(answer);
  if (as_json) return print_json(*answer), Result<void>();
  Table table{{"ID", "NAME", "STATE", "REASON", "PID", "UUID"}};
  for (const auto& domain : answer->at("domains").as_array()) {
    const auto& row = domain.as_object();
    table.push_back({text_of(row, "id"), text_of(row, "name"), text_of(row, "state"), text_of(row, "reason"),
                     text_of(row, "pid"), text_of(row, "uuid")});
  }
  std::fputs(aligned(table).c_str(), stdout);
  return {};
}

}  // namespace vireo::cli
