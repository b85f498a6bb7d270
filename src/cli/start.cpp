// vireo start: many guests with one call, and a line for each.
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/table.hpp"

namespace vireo::cli {
namespace {

std::string body_of(const StartRequest& request) {
  json::object body;
  if (request.all)
    body["all"] = true;
  else if (!request.match.empty())
    body["match"] = request.match;
  else
    body["domains"] = json::array(request.domains.begin(), request.domains.end());
  body["paused"] = request.paused;
  body["all_or_nothing"] = request.all_or_nothing;
  return json::serialize(body);
}

}  // namespace

Result<void> start(const Where& where, const StartRequest& request, bool as_json) {
  auto answer = ask_daemon(where, "POST", "/v1/start", body_of(request));
  if (!answer) return pass_on(answer);
  const auto& domains = answer->at("domains").as_array();
  if (as_json) {
    print_json(*answer);
  } else {
    Table table{{"ID", "NAME", "RESULT", "MESSAGE"}};
    for (const auto& domain : domains) {
      const auto& row = domain.as_object();
      const auto& error = row.at("error");
      table.push_back({text_of(row, "id"), text_of(row, "name"), text_of(row, "result"),
                       error.is_object() ? text_of(error.as_object(), "message") : ""});
    }
    std::fputs(aligned(table).c_str(), stdout);
  }
  if (const auto failed = answer->at("failed").to_number<std::size_t>(); failed > 0)
    return fail(VIR_ERR_OPERATION_FAILED, fmt::format("{} of {} guests did not start", failed, domains.size()));
  return {};
}

}  // namespace vireo::cli
