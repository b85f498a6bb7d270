// The table, and matching.
#include "doors/http/routes.hpp"

#include "doors/http/handlers/handlers.hpp"

namespace vireo::doors::http {
namespace {

constexpr Route metrics{"GET", "/metrics", Report{&show_metrics}};

constexpr std::array table{
    metrics,
    Route{"GET", "/v1/boots", &show_boots},
    Route{"GET", "/v1/daemon", &show_daemon},
    Route{"GET", "/v1/domains", &list_domains},
    Route{"GET", "/v1/domains/{domain}", &show_domain},
    Route{"GET", "/v1/domains/{domain}/liveness", &show_liveness},
    Route{"GET", "/v1/domains/{domain}/trace", &show_trace},
    Route{"GET", "/v1/domains/{domain}/history", &show_history},
    Route{"GET", "/v1/domains/{domain}/history/{metric}", &show_history},
    Route{"GET", "/v1/domains/{domain}/history/{metric}/{span}", &show_history},
    Route{"GET", "/v1/top", &show_top},
    Route{"GET", "/v1/contention", &show_contention},
    Route{"POST", "/v1/contention/reset", &reset_contention},
    Route{"GET", "/v1/phases", &show_phases},
    Route{"GET", "/v1/domains/{domain}/access", &show_access},
    Route{"POST", "/v1/reload", &reload},
    Route{"POST", "/v1/start", &start},
};

constexpr std::array public_table{metrics, Route{"GET", "/", &show_way}};

// What the braces stand for, if the path is of this pattern.
std::optional<std::vector<std::string>> match(std::string_view pattern, const std::vector<std::string>& path) {
  std::vector<std::string> arguments;
  for (const auto& part : path) {
    if (pattern.empty()) return std::nullopt;
    pattern.remove_prefix(1);
    const auto wanted = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(wanted.size());
    if (wanted.starts_with('{')) {
      if (part.empty()) return std::nullopt;
      arguments.push_back(part);
    } else if (wanted != part) {
      return std::nullopt;
    }
  }
  if (!pattern.empty()) return std::nullopt;
  return arguments;
}

}  // namespace

std::span<const Route> routes() { return table; }
std::span<const Route> public_routes() { return public_table; }

std::expected<const Route*, Response> find_route(std::span<const Route> all, Request& request) {
  std::string allow;
  for (const auto& route : all) {
    auto arguments = match(route.pattern, request.path);
    if (!arguments) continue;
    if (route.method == request.method) {
      request.arguments = std::move(*arguments);
      return &route;
    }
    allow += (allow.empty() ? "" : ", ") + std::string(route.method);
  }
  if (allow.empty()) return std::unexpected(refusal(404, "no_such_path", "there is nothing of this path"));
  auto response = refusal(405, "method_not_allowed", "this path knows " + allow + " only");
  response.allow = std::move(allow);
  return std::unexpected(std::move(response));
}

}  // namespace vireo::doors::http
