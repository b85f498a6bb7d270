// Every handler of this door. A guest is named by its id, UUID or name, tried in this order.
#pragma once

#include "doors/http/message.hpp"
#include "doors/http/services.hpp"
#include "model/boot_times.hpp"
#include "model/domain_view.hpp"

namespace vireo::doors::http {

// "2026-01-31T12:00:00.123456Z"
std::string utc(std::chrono::system_clock::time_point time);
// DOMAIN of list_domains.
json::object to_json(const model::DomainView& domain);
// BOOT of show_boots.
json::value to_json(const model::BootTimesPtr& boot);
// Of the published version. Error: VIR_ERR_NO_DOMAIN.
Result<model::DomainViewPtr> find_domain(const Services& services, const std::string& key);

// {"version", "pid", "uptime_ms", "domains": {"running", "shut_off"}, "counters": {GROUP: {NAME: number}}}
Response show_daemon(const Services& services, const Request& request);

// {"domains": [DOMAIN …]}, sorted by name. DOMAIN is {"name", "uuid", "id", "state", "reason", "pid", "persistent",
// "autostart"}; id and pid are null when there is none.
Response list_domains(const Services& services, const Request& request);
// DOMAIN. 404 when there is none of that name.
Response show_domain(const Services& services, const Request& request);

// The last start of a guest by this daemon: {"domain": DOMAIN, "launch": null or {"began", "total_us", "steps":
// [{"name", "begin_us", "end_us"} …], "error", "lost"}, "boot": null or BOOT, see below}; began is in UTC (ISO 8601),
// the offsets are since then; error is null when the start succeeded.
Response show_trace(const Services& services, const Request& request);

// What waited, since the daemon began or the last reset: {"span_us", "core": {"load", "busy_us", "turns",
// "longest_turn_us"}, "sites": [{"kind", "waited_for", "function", "file", "line", "held_by", "count", "average_us",
// "maximum_us", "total_us"} …]}, most total first; load is a share of one processor, held_by null when nobody is known.
Response show_contention(const Services& services, const Request& request);
// The same, and begins all figures anew.
asio::awaitable<Response> reset_contention(const Services& services, Request request);
// How long the guests of the last storm of starts took until their process was there, they were running and they said
// that they were up: {"storm": null or {"began", "starts", "under_way", "failed", "process": SPREAD, "running": SPREAD,
// "up": SPREAD, "guests": [BOOT …]}}. BOOT is {"name", "uuid", "id", "began", "paused", "failed", "process_us",
// "running_us", "up_us", "up_by"}, the times since that start was asked for, null if not (yet) reached; up_by is null,
// "agent", "console" or "network". SPREAD is {"count", "mean_us", "median_us", "p99_us", "worst_us", "total_us"} of the
// starts that got so far, here with total_us from the first call of the storm until the last of them did; null: none
// did.
Response show_boots(const Services& services, const Request& request);
// How long each phase of a launch took, over the last `kept` launches that succeeded: {"launches": number that
// succeeded since the daemon began, "failed", "kept", "launch": SPREAD of the whole, "phases": [SPREAD with "name" and
// "failed": launches that failed in this phase …]} in the order of a launch; here total_us is the sum. The second phase
// of a name in one launch is NAME#2.
Response show_phases(const Services& services, const Request& request);
// Which of its files a guest's process can open, asked of the host by a worker: {"domain": DOMAIN, "files": [{"path",
// "role", "how", "as", "allowed", "lent", "component", "rule", "why"} …]}; the last three are null if it is allowed.
asio::awaitable<Response> show_access(const Services& services, Request request);

// What there is to know in numbers, as Prometheus reads it: OpenMetrics if the client asks for it. On a worker.
Response show_metrics(const Services& services, const Request& request);
// A line for people who look at an address where there is nothing but metrics.
Response show_way(const Services& services, const Request& request);

// How a guest fared in the last hour, or with the span "24h" in the last day. All series, which is the metric "all":
// {"domain": {"name", "uuid"}, "span": "1h" or "24h", "period_ms", "bytes", "first_ms", "to_ms", "series": [SERIES …]};
// period_ms is the distance of samples, bytes what the guest's history takes of the daemon's memory, first_ms (null:
// nothing is known) and to_ms (now) are times in milliseconds since the epoch (UTC). SERIES is {"name", "unit":
// "percent", "bytes", "bytes/s", "1/s" or "ms", "meaning": a sentence, "last", "min", "mean", "max", "line": the means
// of 60 equal parts of the time from first_ms to to_ms}; a number that is not known is null. One metric: the same with
// "series": SERIES without a line, and "points": [[time in ms, value or null] …], oldest first. A value tells of the
// time since the point before it; null: no value is known, as there was no sample, no life of the guest, or no answer
// in time. Values are true to 1.6 %. 400: no such metric, span; 409: no history is kept.
asio::awaitable<Response> show_history(const Services& services, Request request);

// What all guests do, from their last samples, sorted by name; no monitor is asked for it. {"taken": in UTC,
// "period_ms": how often monitors are asked while somebody looks, "host": {"name", "cpus", "busy_ms", "idle_ms",
// "load": [of 1, 5 and 15 minutes], "memory_kib", "available_kib"}, "domains": [{"name", "uuid", "id", "state",
// "vcpus", "memory_kib", "kernel": null or {"at_us", "cpu_ns", "rss_kib", "net": {"rx_bytes", "tx_bytes"}, "pressure":
// PRESSURE}, "disk": null or {"at_us", "reads", "read_bytes", "writes", "written_bytes", "failed"}, "monitor": MONITOR,
// "age_ms", "liveness": {"kind", "sentence"}, "lane": LANE} …]}. Figures are totals of this life; at_us is when they
// were true, on a clock that only differences tell something of. busy_ms and idle_ms are of all processors together.
// kind is "shut_off", "healthy", "busy" (its lane is held for long), "silent", "stuck" or "stopped". MONITOR is
// {"round_trip_us", "answered_ago_ms", "waiting_ms", "answers", "failures"}, null what has not been; LANE is {"holder":
// null or the verb inside, "held_ms", "waiting"}; PRESSURE is {"cpu_stall_us", "memory_stall_us", "io_stall_us"} of the
// guest's control group, null where it has none.
asio::awaitable<Response> show_top(const Services& services, Request request);
// The same of one guest's liveness, looked at anew: {"domain": DOMAIN, "liveness", "monitor": MONITOR, "lane": LANE,
// "stopped": by a signal, "stuck": [{"tid", "name", "where": in the kernel, "file", "for_ms": how long that has been
// seen} …], "pressure": PRESSURE, "age_ms"}; where and file are null if they cannot be told.
asio::awaitable<Response> show_liveness(const Services& services, Request request);

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
