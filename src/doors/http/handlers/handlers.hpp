// Every handler of this door. A guest is named by its id, UUID or name, tried in this order.
#pragma once

#include "doors/http/message.hpp"
#include "doors/http/services.hpp"

namespace vireo::doors::http {

// {"version", "pid", "uptime_ms", "domains": {"running", "shut_off"}, "counters": {GROUP: {NAME: number}}}
Response show_daemon(const Services& services, const Request& request);

// {"domains": [DOMAIN …]}, sorted by name. DOMAIN is {"name", "uuid", "id", "state", "reason", "pid", "persistent",
// "autostart"}; id and pid are null when there is none.
Response list_domains(const Services& services, const Request& request);
// DOMAIN. 404 when there is none of that name.
Response show_domain(const Services& services, const Request& request);

// The last start of a guest by this daemon: {"domain": DOMAIN, "launch": null or {"began", "total_us", "steps":
// [{"name", "begin_us", "end_us"} …], "error", "lost"}}; began is in UTC (ISO 8601), the offsets are since then; error
// is null when the start succeeded.
Response show_trace(const Services& services, const Request& request);

// Which of its files a guest's process can open, asked of the host by a worker: {"domain": DOMAIN, "files": [{"path",
// "role", "how", "as", "allowed", "lent", "component", "rule", "why"} …]}; the last three are null if it is allowed.
asio::awaitable<Response> show_access(const Services& services, Request request);

// {"file", "changed": [option …], "at_next_start": [option …]}. 422 with line and reason for a bad file.
asio::awaitable<Response> reload(const Services& services, Request request);

}  // namespace vireo::doors::http
