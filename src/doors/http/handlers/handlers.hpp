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

// {"file", "changed": [option …], "at_next_start": [option …]}. 422 with line and reason for a bad file.
asio::awaitable<Response> reload(const Services& services, Request request);

// Starts many guests, all at once. The body is {"domains": [name or UUID …]}, {"all": true} or {"match": "web-*"}; the
// last two mean what is shut off. With it may stand "paused" and "all_or_nothing", each true or false. Answers, when
// all have started or failed, {"domains": [{"name", "uuid", "result", "id", "error"} …], "started", "failed"}: result
// is "started", "already_running", "failed", "not_begun" or "undone"; id, uuid and error are null where there is none,
// and error is as in refusals; the last two count. 400 for another body. Starts that wait are cancelled when the client
// goes away.
asio::awaitable<Response> start(const Services& services, Request request);

}  // namespace vireo::doors::http
