// Starting many guests: the body of the request, and the results as JSON.
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include "core/verbs/start_many.hpp"
#include "doors/http/handlers/handlers.hpp"

namespace vireo::doors::http {
namespace {

using Outcome = core::BatchResult::Outcome;

// Longer than any name can be that it is to fit.
constexpr std::size_t longest_pattern = 255;

struct Wanted {
  core::BatchGuests guests;
  core::BatchOptions options;
};

std::unexpected<Error> bad(std::string what) { return fail(VIR_ERR_INVALID_ARG, std::move(what)); }

Result<bool> read_flag(std::string_view name, const json::value& value) {
  if (!value.is_bool()) return bad(fmt::format("\"{}\" must be true or false", name));
  return value.get_bool();
}

Result<std::vector<std::string>> read_domains(const json::value& value) {
  std::vector<std::string> domains;
  if (value.is_array())
    for (const auto& each : value.get_array())
      if (each.is_string() && !each.get_string().empty()) domains.emplace_back(each.get_string());
  if (!value.is_array() || value.get_array().empty() || domains.size() != value.get_array().size())
    return bad("\"domains\" must be a list of names or UUIDs, with at least one");
  return domains;
}

Result<void> read_member(Wanted& wanted, std::string_view name, const json::value& value) {
  if (name == "domains") {
    auto domains = read_domains(value);
    if (!domains) return pass_on(domains);
    wanted.guests.named = std::move(*domains);
  } else if (name == "match") {
    if (!value.is_string() || value.get_string().empty() || value.get_string().size() > longest_pattern)
      return bad(fmt::format("\"match\" must be a pattern such as \"web-*\" of at most {} bytes", longest_pattern));
    wanted.guests.pattern = std::string(value.get_string());
  } else if (name == "all") {
    if (value != json::value(true)) return bad("\"all\" must be true where it stands");
    wanted.guests.pattern = "*";
  } else if (name == "paused" || name == "all_or_nothing") {
    auto flag = read_flag(name, value);
    if (!flag) return pass_on(flag);
    (name == "paused" ? wanted.options.paused : wanted.options.all_or_nothing) = *flag;
  } else {
    return bad(fmt::format(
        "\"{}\" means nothing here; a start knows \"domains\", \"all\", \"match\", \"paused\" and \"all_or_nothing\"",
        name));
  }
  return {};
}

Result<Wanted> read_body(const std::string& body) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 3;
  const auto parsed = json::parse(body, error, {}, options);
  if (error) return bad("the body is no JSON: " + error.message());
  if (!parsed.is_object()) return bad("the body must be a JSON object such as {\"all\": true}");
  const auto& object = parsed.get_object();
  if (object.contains("domains") + object.contains("all") + object.contains("match") != 1)
    return bad("the body must say which guests to start by one of \"domains\", \"all\" and \"match\"");
  Wanted wanted;
  for (const auto& [name, value] : object)
    if (auto read = read_member(wanted, name, value); !read) return pass_on(read);
  return wanted;
}

std::string_view word_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::NotBegun:
      return "not_begun";
    case Outcome::Started:
      return "started";
    case Outcome::AlreadyRunning:
      return "already_running";
    case Outcome::Failed:
      return "failed";
    case Outcome::Undone:
      return "undone";
  }
  return "unknown";
}

json::object to_json(const core::BatchResult& result) {
  const bool known = result.domain.uuid != Uuid{};
  return {{"name", result.domain.name},
          {"uuid", known ? json::value(result.domain.uuid.text()) : json::value()},
          {"result", word_of(result.outcome)},
          {"id", result.outcome == Outcome::Started ? json::value(result.id) : json::value()},
          {"error", result.error ? refusal(*result.error).body.at("error") : json::value()}};
}

}  // namespace

asio::awaitable<Response> start(const Services& services, Request request) {
  auto wanted = read_body(request.body);
  if (!wanted) co_return refusal(wanted.error());
  auto results = co_await core::start_many(services.host, std::move(wanted->guests), wanted->options);
  if (!results) co_return refusal(results.error());
  json::array domains;
  domains.reserve(results->size());
  for (const auto& result : *results) domains.push_back(to_json(result));
  const auto count = [&](auto is) { return static_cast<std::size_t>(std::ranges::count_if(*results, is)); };
  const auto started = count([](const core::BatchResult& r) { return r.outcome == Outcome::Started; });
  const auto failed = count([](const core::BatchResult& r) { return !r.good(); });
  co_return Response{.body = {{"domains", std::move(domains)}, {"started", started}, {"failed", failed}}};
}

}  // namespace vireo::doors::http
