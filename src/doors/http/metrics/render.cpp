// The table of what is told of the daemon and its host, and the order of the whole.
#include "doors/http/metrics/render.hpp"

#include <algorithm>
#include <map>

#include "base/wait_site.hpp"
#include "doors/http/metrics/guests.hpp"
#include "doors/http/state_words.hpp"

namespace vireo::doors::http {
namespace {

using enum Kind;
using Out = MetricsText;

// Everything that the families below draw from, looked at once for one scrape.
struct Scrape {
  const Services& services;
  const core::Host& host;
  const std::vector<GuestRow>& guests;
  LoopMeter::Figures core;
  DaemonFacts facts;
  ports::OwnProcess process;
  ports::HostLoad load;
  std::shared_ptr<const model::LaunchHistory> launches;
};

// Kinds and things that are told apart; there are fewer today, and a scrape shall not grow with the program.
constexpr std::size_t most_waits = 64;

void waits(const Scrape&, Out& out) {
  struct Sum {
    std::uint64_t count = 0, total_ns = 0;
  };
  std::map<std::string, Sum> sums;
  for (const auto& row : WaitReport::take()) {  // most total first
    auto key = label("kind", row.kind) + "," + label("waited_for", row.what);
    if (!sums.contains(key) && sums.size() >= most_waits) key = R"(kind="others",waited_for="others")";
    auto& sum = sums[key];
    sum.count += row.count;
    sum.total_ns += row.total_ns;
  }
  for (const auto& [labels, sum] : sums) out.add(labels, sum.count, Seconds(sum.total_ns));
}

void guests_by_state(const Scrape& s, Out& out) {
  std::map<std::string_view, std::uint64_t> count;
  for (const auto* state : {"running", "paused", "shutoff"}) count[state] = 0;
  for (const auto& guest : s.guests) ++count[state_word(guest.view->state)];
  for (const auto& [state, number] : count) out.add(label("state", state), number);
}

void stalls(const Scrape& s, Out& out) {
  const auto add = [&](std::string_view resource, const ports::HostLoad::Stalls& stalls) {
    const auto labels = label("resource", resource);
    if (stalls.some_us) out.add(labels + R"(,tasks="some")", Seconds(*stalls.some_us * 1000));
    if (stalls.all_us) out.add(labels + R"(,tasks="all")", Seconds(*stalls.all_us * 1000));
  };
  add("cpu", s.load.cpu);
  add("memory", s.load.memory);
  add("io", s.load.io);
}

std::uint64_t us_to_ns(std::int64_t us) { return static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0)) * 1000; }

struct DaemonFamily {
  Family family;
  void (*read)(const Scrape& scrape, Out& out);
};

constexpr DaemonFamily table[] = {
    {{"libvirt_up", gauge, "", "Always 1: there is an answer."}, [](const Scrape&, Out& out) { out.add("", 1); }},
    {{"libvirt_domains", gauge, "", "Guests that there are, running or not."},
     [](const Scrape& s, Out& out) { out.add("", s.guests.size()); }},
    {{"vireo_domains", gauge, "", "Guests in each state."}, &guests_by_state},
    {{"vireo_build", info, "", "Which version of vireod this is."},
     [](const Scrape& s, Out& out) { out.add(label("version", s.facts.version), 1); }},

    // How long things take.
    {{"vireo_procedure_seconds", histogram, "seconds",
      "How long clients waited for a procedure of libvirt's protocol, from the arrival of the call until its reply was "
      "ready to be sent."},
     [](const Scrape& s, Out& out) {
       if (!s.services.latencies) return;
       for (const auto& each : s.services.latencies()) out.add(label("procedure", each.procedure), each.took);
     }},
    {{"vireo_monitor_round_trip_seconds", histogram, "seconds",
      "How long guests' monitors took to answer questions for figures, of all guests together."},
     [](const Scrape& s, Out& out) { out.add("", s.host.round_trips.figures()); }},
    {{"vireo_wait_seconds", summary, "seconds",
      "How long anything waited for its turn, by the kind of wait and what was waited for."},
     &waits},
    {{"vireo_sampler_lag_seconds", summary, "seconds", "How late the turns of the sampler came."},
     [](const Scrape& s, Out& out) {
       const auto& lag = s.host.sampler.lag();
       out.add("", lag.count(), Seconds(lag.total_ns()));
     }},
    {{"vireo_sampler_lag_longest_seconds", gauge, "seconds", "How late the latest turn of the sampler came."},
     [](const Scrape& s, Out& out) { out.add("", Seconds(s.host.sampler.lag().max_ns())); }},
    {{"vireo_sampler_period_seconds", gauge, "seconds",
      "How often each guest is sampled while somebody wants to know."},
     [](const Scrape& s, Out& out) { out.add("", Seconds(s.host.sampler.period())); }},

    // Launches.
    {{"vireo_launch_seconds", summary, "seconds", "How long the launches that succeeded took."},
     [](const Scrape& s, Out& out) { out.add("", s.launches->succeeded, Seconds(us_to_ns(s.launches->total_us))); }},
    {{"vireo_launch_phase_seconds", summary, "seconds", "The same for each phase of a launch."},
     [](const Scrape& s, Out& out) {
       for (const auto& phase : s.launches->phases)
         out.add(label("phase", phase.name), phase.count, Seconds(us_to_ns(phase.total_us)));
     }},
    {{"vireo_launch_failures", counter, "", "Launches that failed, by the phase in which they did."},
     [](const Scrape& s, Out& out) {
       for (const auto& [phase, count] : s.launches->failed_in) out.add(label("phase", phase), count);
     }},
    {{"vireo_launches", counter, "", "Launches that ended."},
     [](const Scrape& s, Out& out) {
       out.add(R"(result="succeeded")", s.launches->succeeded);
       out.add(R"(result="failed")", s.launches->failed);
     }},

    // The core thread.
    {{"vireo_core_busy_seconds", counter, "seconds",
      "Processor time of the core thread, which all changes go through."},
     [](const Scrape& s, Out& out) { out.add("", Seconds(s.core.busy)); }},
    {{"vireo_core_turns", counter, "", "Turns of the core thread's loop."},
     [](const Scrape& s, Out& out) { out.add("", s.core.turns); }},
    {{"vireo_core_longest_turn_seconds", gauge, "seconds",
      "The longest of them since the daemon began, or since vireo contention began anew."},
     [](const Scrape& s, Out& out) { out.add("", Seconds(s.core.longest)); }},

    // The daemon's process, by the names that all programs give these.
    {{"process_cpu_seconds", counter, "seconds", "Processor time that the daemon has used."},
     [](const Scrape& s, Out& out) { out.add("", Seconds(s.process.cpu_ns)); }},
    {{"process_resident_memory_bytes", gauge, "bytes", "Memory that the daemon occupies."},
     [](const Scrape& s, Out& out) { out.add("", s.process.resident_bytes); }},
    {{"process_virtual_memory_bytes", gauge, "bytes", "Addresses that the daemon has in use."},
     [](const Scrape& s, Out& out) { out.add("", s.process.virtual_bytes); }},
    {{"process_open_fds", gauge, "", "Descriptors that the daemon has open."},
     [](const Scrape& s, Out& out) { out.add("", s.process.descriptors); }},
    {{"process_max_fds", gauge, "", "Descriptors that it may have open."},
     [](const Scrape& s, Out& out) { out.add("", s.process.most_descriptors); }},
    {{"process_threads", gauge, "", "Threads of the daemon."},
     [](const Scrape& s, Out& out) { out.add("", s.process.threads); }},
    {{"process_start_time_seconds", gauge, "seconds", "When the daemon began, in seconds since 1970."},
     [](const Scrape& s, Out& out) { out.add("", s.process.started_s); }},

    // The host.
    {{"vireo_host_processors", gauge, "", "Processors of the host."},
     [](const Scrape& s, Out& out) { out.add("", s.load.processors); }},
    {{"vireo_host_memory_bytes", gauge, "bytes", "Memory of the host."},
     [](const Scrape& s, Out& out) { out.add("", s.load.memory_kib * 1024); }},
    {{"vireo_host_memory_available_bytes", gauge, "bytes", "What of it can be had without swapping."},
     [](const Scrape& s, Out& out) { out.add("", s.load.available_kib * 1024); }},
    {{"vireo_host_load", gauge, "", "Tasks that run or want to, on average over so many minutes."},
     [](const Scrape& s, Out& out) {
       out.add(R"(minutes="1")", s.load.load_1);
       out.add(R"(minutes="5")", s.load.load_5);
       out.add(R"(minutes="15")", s.load.load_15);
     }},
    {{"vireo_host_pressure_seconds", counter, "seconds",
      "Time in which some or all tasks of the host waited for the resource."},
     &stalls},
};

// The daemon's own counters: families, and which counter goes where under which label.
constexpr Family clients{"vireo_clients", gauge, "", "Clients that are connected, by the door that they came through."};
constexpr Family requests_inside{"vireo_calls_in_flight", gauge, "", "Calls that were taken and are not answered yet."};
constexpr Family held{"vireo_held_bytes", gauge, "bytes",
                      "What clients have sent or not yet read, and the daemon holds."};
constexpr Family accepted{"vireo_clients_accepted", counter, "", "Clients that were let in by libvirt's door."};
constexpr Family refused{"vireo_clients_refused", counter, "", "Clients that were turned away, by the reason."};
constexpr Family dropped{"vireo_clients_dropped", counter, "", "Clients that were dropped, by the reason."};
constexpr Family frames{"vireo_frames", counter, "", "Messages read from clients of libvirt's door."};
constexpr Family calls{"vireo_calls", counter, "", "Calls among them."};
constexpr Family events{"vireo_events", counter, "", "Events sent to clients of libvirt's door."};
constexpr Family calls_refused{"vireo_calls_refused", counter, "", "Calls that were refused, by the reason."};
constexpr Family cancelled{"vireo_calls_cancelled", counter, "", "Calls whose client went away before the answer."};
constexpr Family oversize{"vireo_replies_oversize", counter, "", "Replies that were longer than a message may be."};
constexpr Family streams{"vireo_streams_refused", counter, "", "Streams that a client could not open for its limit."};
constexpr Family pauses{"vireo_pauses", counter, "", "How often reading a client paused, by the limit."};
constexpr Family requests{"vireo_http_requests", counter, "", "Requests over HTTP."};
constexpr Family requests_refused{"vireo_http_requests_refused", counter, "",
                                  "Those that were answered with an error."};
constexpr Family timeouts{"vireo_http_timeouts", counter, "", "Connections over HTTP that were silent for too long."};
constexpr Family start_limit{"vireo_starts_allowed", gauge, "", "Guests that may be launched at one moment."};
constexpr Family starting{"vireo_starts_under_way", gauge, "", "Guests that are being launched."};
constexpr Family start_queue{"vireo_starts_waiting", gauge, "", "Starts that wait for others to get done."};
constexpr Family tree_nodes{"vireo_tree_nodes", gauge, "", "Nodes of the tree."};
constexpr Family tree_bytes{"vireo_tree_bytes", gauge, "bytes", "What they take."};
constexpr Family tree_commits{"vireo_tree_commits", counter, "", "Commits that changed the tree."};
constexpr Family tree_batches{"vireo_tree_journal_batches", counter, "",
                              "Versions of the tree that were written down."};
constexpr Family tree_written{"vireo_tree_journal_nodes", counter, "", "Nodes that were written with them."};
constexpr Family tree_failures{"vireo_tree_journal_failures", counter, "",
                               "Times that this failed, and was tried again."};
constexpr Family tree_noted{"vireo_tree_journal_noted", gauge, "", "Paths whose changes wait to be written down."};
constexpr Family tree_unsettled{"vireo_tree_journal_held", gauge, "", "Clients whose answers wait until it is done."};
constexpr Family tree_watches{"vireo_tree_watches", gauge, "", "Watches that clients of the tree have set."};
constexpr Family tree_open{"vireo_tree_transactions", gauge, "", "Transactions of clients that are open."};
constexpr Family tree_held{"vireo_tree_held_bytes", gauge, "bytes",
                           "What waits to be read by clients of the tree, and their watches."};
constexpr Family tree_accepted{"vireo_tree_clients_accepted", counter, "", "Clients that were let in to the tree."};
constexpr Family tree_requests{"vireo_tree_requests", counter, "", "Requests to the tree."};
constexpr Family tree_errors{"vireo_tree_errors", counter, "",
                             "Those that were answered with an error other than EAGAIN and ENOENT."};
constexpr Family tree_conflicts{"vireo_tree_conflicts", counter, "", "Transactions that were answered with EAGAIN."};
constexpr Family tree_events{"vireo_tree_events", counter, "", "Events sent to clients of the tree."};
constexpr Family tree_merged{"vireo_tree_events_merged", counter, "",
                             "Events left out, since the same was still waiting to be read."};
constexpr Family other{"vireo_other", unknown, "", "Numbers of the daemon that have no name of their own here."};

struct Place {
  std::string_view group, name;
  const Family* family;
  std::string_view label, value;  // none: empty
};

constexpr Place places[] = {
    {"libvirt", "clients", &clients, "door", "libvirt"},
    {"http", "connections", &clients, "door", "http"},
    {"metrics", "connections", &clients, "door", "metrics"},
    {"xenstore", "clients", &clients, "door", "xenstore"},
    {"libvirt", "calls_in_flight", &requests_inside, "door", "libvirt"},
    {"http", "calls_in_flight", &requests_inside, "door", "http"},
    {"metrics", "calls_in_flight", &requests_inside, "door", "metrics"},
    {"libvirt", "held_bytes", &held, "", ""},
    {"libvirt", "clients_accepted", &accepted, "", ""},
    {"libvirt", "clients_refused_limit", &refused, "reason", "limit"},
    {"libvirt", "clients_refused_descriptors", &refused, "reason", "descriptors"},
    {"libvirt", "accept_failures", &refused, "reason", "accept_failed"},
    {"http", "turned_away", &refused, "reason", "http_limit"},
    {"metrics", "turned_away", &refused, "reason", "metrics_limit"},
    {"xenstore", "clients_refused", &refused, "reason", "xenstore_limit"},
    {"xenstore", "accept_failures", &refused, "reason", "xenstore_accept_failed"},
    {"libvirt", "clients_dropped_not_reading", &dropped, "reason", "not_reading"},
    {"libvirt", "clients_dropped_events", &dropped, "reason", "events"},
    {"libvirt", "clients_dropped_memory", &dropped, "reason", "memory"},
    {"libvirt", "clients_dropped_keepalive", &dropped, "reason", "keepalive"},
    {"libvirt", "clients_dropped_bad_frame", &dropped, "reason", "bad_frame"},
    {"libvirt", "clients_dropped_oversize", &dropped, "reason", "oversize"},
    {"libvirt", "clients_dropped_silent", &dropped, "reason", "silent"},
    {"xenstore", "clients_dropped_oversize", &dropped, "reason", "xenstore_oversize"},
    {"xenstore", "clients_dropped_not_reading", &dropped, "reason", "xenstore_not_reading"},
    {"libvirt", "frames", &frames, "", ""},
    {"libvirt", "calls", &calls, "", ""},
    {"libvirt", "events", &events, "", ""},
    {"libvirt", "calls_refused_unknown", &calls_refused, "reason", "unknown"},
    {"libvirt", "calls_refused_unauthenticated", &calls_refused, "reason", "unauthenticated"},
    {"libvirt", "calls_refused_unopened", &calls_refused, "reason", "unopened"},
    {"libvirt", "calls_refused_read_only", &calls_refused, "reason", "read_only"},
    {"libvirt", "calls_refused_unsupported", &calls_refused, "reason", "unsupported"},
    {"libvirt", "calls_refused_payload", &calls_refused, "reason", "payload"},
    {"libvirt", "calls_refused_closing", &calls_refused, "reason", "closing"},
    {"libvirt", "calls_cancelled", &cancelled, "", ""},
    {"libvirt", "replies_oversize", &oversize, "", ""},
    {"libvirt", "streams_refused", &streams, "", ""},
    {"libvirt", "pauses_calls", &pauses, "limit", "calls"},
    {"libvirt", "pauses_unsent", &pauses, "limit", "unsent"},
    {"libvirt", "pauses_streams", &pauses, "limit", "streams"},
    {"xenstore", "pauses", &pauses, "limit", "xenstore_unread"},
    {"http", "requests", &requests, "door", "http"},
    {"metrics", "requests", &requests, "door", "metrics"},
    {"http", "refused", &requests_refused, "door", "http"},
    {"metrics", "refused", &requests_refused, "door", "metrics"},
    {"http", "timed_out", &timeouts, "door", "http"},
    {"metrics", "timed_out", &timeouts, "door", "metrics"},
    {"starts", "allowed_at_once", &start_limit, "", ""},
    {"starts", "under_way", &starting, "", ""},
    {"starts", "waiting", &start_queue, "", ""},
    {"tree", "nodes", &tree_nodes, "", ""},
    {"tree", "bytes", &tree_bytes, "", ""},
    {"tree", "commits", &tree_commits, "", ""},
    {"tree", "journal_batches", &tree_batches, "", ""},
    {"tree", "journal_nodes", &tree_written, "", ""},
    {"tree", "journal_failures", &tree_failures, "", ""},
    {"tree", "journal_noted", &tree_noted, "", ""},
    {"tree", "journal_held", &tree_unsettled, "", ""},
    {"xenstore", "watches", &tree_watches, "", ""},
    {"xenstore", "transactions", &tree_open, "", ""},
    {"xenstore", "held_bytes", &tree_held, "", ""},
    {"xenstore", "clients_accepted", &tree_accepted, "", ""},
    {"xenstore", "requests", &tree_requests, "", ""},
    {"xenstore", "errors", &tree_errors, "", ""},
    {"xenstore", "conflicts", &tree_conflicts, "", ""},
    {"xenstore", "events", &tree_events, "", ""},
    {"xenstore", "events_merged", &tree_merged, "", ""},
};

}  // namespace

void write_counters(const std::vector<Counter>& counters, MetricsText& out) {
  const auto is = [](const Place& place) {
    return [&place](const Counter& c) { return c.group == place.group && c.name == place.name; };
  };
  const Family* last = nullptr;
  for (const auto& place : places) {  // those of one family stand together
    const auto found = std::ranges::find_if(counters, is(place));
    if (found == counters.end()) continue;
    if (place.family != last) out.begin(*place.family);
    last = place.family;
    out.add(place.label.empty() ? "" : label(place.label, place.value), found->value);
  }
  out.begin(other);
  for (const auto& counter : counters)
    if (std::ranges::none_of(places, [&](const Place& place) { return is(place)(counter); }))
      out.add(label("group", counter.group) + "," + label("name", counter.name), counter.value);
}

std::vector<Family> daemon_families() {
  std::vector<Family> all;
  for (const auto& each : table) all.push_back(each.family);
  for (const auto& place : places)
    if (all.back().name != place.family->name) all.push_back(*place.family);
  all.push_back(other);
  return all;
}

std::string render_metrics(const Services& services, Format format) {
  auto& sampler = services.host.sampler;
  sampler.want();  // who asks shall find young samples from now on
  const auto guests = look_at_guests(*services.host.registry.versions().snapshot(), SteadyClock::now(),
                                     sampler.period() * core::kStaleAfter);
  const Scrape scrape{.services = services,
                      .host = services.host,
                      .guests = guests,
                      .core = services.core_loop.figures(),
                      .facts = services.facts(),
                      .process = services.host.facts.own_process(),
                      .load = services.host.facts.load(),
                      .launches = services.host.boots.history().snapshot()};
  MetricsText out(format);
  for (const auto& each : table) {
    out.begin(each.family);
    each.read(scrape, out);
  }
  write_counters(scrape.facts.counters, out);
  write_guests(guests, out);
  return out.finish();
}

std::string render_guests(const model::HostVersion& version, SteadyClock::duration limit, Format format) {
  MetricsText out(format);
  write_guests(look_at_guests(version, SteadyClock::now(), limit), out);
  return out.finish();
}

}  // namespace vireo::doors::http
