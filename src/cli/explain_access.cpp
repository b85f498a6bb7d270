// vireo explain-access: which of its files a guest's QEMU can open, and what forbids the others.
#include <boost/json/array.hpp>
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/http_client.hpp"
#include "cli/table.hpp"

namespace vireo::cli {

Result<void> explain_access(const Where& where, const std::string& domain, bool as_json) {
  auto answer = ask_daemon(where, "GET", "/v1/domains/" + escape_part(domain) + "/access");
  if (!answer) return pass_on(answer);
  if (as_json) return print_json(*answer), Result<void>();
  const auto name = text_of(answer->at("domain").as_object(), "name");
  const auto& files = answer->at("files").as_array();
  if (files.empty()) return fmt::print("{} opens no file of the host\n", name), Result<void>();
  fmt::print("{}: as {}\n", name, text_of(files.front().as_object(), "as"));
  Table table{{"OPENS", "TO", "WHAT", "PATH"}};
  std::vector<std::string> reasons;
  for (const auto& file : files) {
    const auto& row = file.as_object();
    const bool allowed = row.at("allowed").as_bool();
    table.push_back({allowed ? "yes" : "NO", text_of(row, "how"), text_of(row, "role"), text_of(row, "path")});
    if (!allowed) reasons.push_back(fmt::format("{}: {}\n", text_of(row, "role"), text_of(row, "why")));
  }
  std::fputs(aligned(table).c_str(), stdout);
  for (const auto& reason : reasons) std::fputs(reason.c_str(), stdout);
  return {};
}

}  // namespace vireo::cli
