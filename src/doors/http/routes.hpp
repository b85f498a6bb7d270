// The table of routes: which handler answers which method on which path. A read is answered where it stands, on the
// door's thread, from the published version; a report, which takes long to write, on a worker; a change is a coroutine
// on the core thread, cancelled when its client goes away.
#pragma once

#include "doors/http/message.hpp"
#include "doors/http/services.hpp"

namespace vireo::doors::http {

using Read = Response (*)(const Services&, const Request&);
struct Report {
  Response (*make)(const Services&, const Request&);
};
using Change = asio::awaitable<Response> (*)(const Services&, Request);

struct Route {
  std::string_view method;
  std::string_view pattern;  // "/v1/domains/{domain}": a part in braces stands for any one part
  std::variant<Read, Report, Change> handler;
};

// Every route of this door.
std::span<const Route> routes();
// Those that everybody on this host may use, for an address at which nobody can be told from anybody else.
std::span<const Route> public_routes();

// The route of a request, whose arguments are filled in. Error: a whole response, 404 or 405 with what is allowed.
std::expected<const Route*, Response> find_route(std::span<const Route> table, Request& request);

}  // namespace vireo::doors::http
