// Measures the bulk statistics of many running guests: with all groups and of the disks alone, fresh and from samples
// (NOWAIT), on each server and as the floor, which is Vireo's one command written to as many QEMUs of the same command
// line at once (a monitor has one client, so they cannot be the very same ones). All contenders' guests run all the
// time and all take turns. Prints medians, ratios, the aims, and what each monitor command costs QEMU.
//
//   bench_stats [--guests N,…] [--rounds N] [--json FILE] [--pid PID] --images FOLDER vireo=URI libvirtd=URI
//
// FOLDER has a folder of each contender's name with an image for each guest. PID: vireod's, to tell what it takes of
// the processors.
#include <fmt/format.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "arguments.hpp"
#include "bare_crowd.hpp"
#include "crowd.hpp"
#include "process_figures.hpp"
#include "report.hpp"
#include "stats_floor.hpp"

namespace vireo::bench {
namespace {

constexpr int start_clients = 4;
// What Vireo asks each guest's monitor for, with all groups as with the disks alone: all else it knows already
// (core/stats/asker.cpp says when it asks more).
const std::string floor_command = "{\"execute\":\"query-blockstats\"}\n";

struct Measured {
  const char* name;
  unsigned groups, flags;
  double aim;         // how many times faster than libvirtd's fresh answer
  std::size_t fresh;  // the row of that answer
};
constexpr std::array operations = {
    Measured{"all groups", 0, 0, 5, 0},
    Measured{"disks", VIR_DOMAIN_STATS_BLOCK, 0, 15, 1},
    Measured{"all groups, NOWAIT", 0, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT, 100, 0},
    Measured{"disks, NOWAIT", VIR_DOMAIN_STATS_BLOCK, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT, 100, 1},
};
constexpr double floor_aim = 1.5;

// A record is worth nothing here if it lacks the disk, or if it is older than the question.
bool is_whole(virDomainStatsRecordPtr record, bool fresh) {
  bool disk = false;
  for (int i = 0; i < record->nparams; ++i) {
    const auto& param = record->params[i];
    disk = disk || std::strcmp(param.field, "block.0.rd.reqs") == 0;
    if (fresh && std::strcmp(param.field, "vireo.stale") == 0 && param.value.b) return false;
  }
  return disk;
}

struct Contender {
  std::string name;
  std::unique_ptr<Crowd> crowd;
  Connection connection;  // none: the floor
  std::array<Series, operations.size()> series;
  pid_t pid = 0;  // of the daemon; 0: not known
  // Of its processor time, and of its core thread's: what went by during each question.
  std::array<Series, operations.size()> all_threads, core;

  Result<Clock::duration> ask(const Measured& what) {
    if (!connection) return ask_all(static_cast<const BareCrowd&>(*crowd).qemus(), floor_command);
    virDomainStatsRecordPtr* records = nullptr;
    const auto begun = Clock::now();
    const int count = virConnectGetAllDomainStats(connection.get(), what.groups, &records, what.flags);
    const auto took = Clock::now() - begun;
    if (count < 0) return last_error(name + ": statistics");
    bool whole = count == crowd->plan().guests;
    for (int i = 0; i < count; ++i) whole = whole && is_whole(records[i], what.flags == 0);
    virDomainStatsRecordListFree(records);
    if (!whole) return fail(VIR_ERR_INTERNAL_ERROR, name + ": an answer lacks guests, or has old or missing figures");
    return took;
  }
};

Result<std::vector<Contender>> start_all(const Arguments& arguments, int guests) {
  std::vector<Contender> all;
  const auto plan_of = [&](const std::string& name) {
    return CrowdPlan{.guests = guests, .memory_mib = 16, .image_folder = arguments.text("images", "") + "/" + name};
  };
  const auto& [first, first_uri] = arguments.servers.front();
  auto command_line = command_line_at(first_uri, plan_of("floor"));
  if (!command_line) return pass_on(command_line);
  for (const auto& [name, uri] : arguments.servers) {
    all.push_back({.name = name, .crowd = std::make_unique<ServerCrowd>(uri, plan_of(name))});
    all.back().connection.reset(virConnectOpen(uri.c_str()));
    if (!all.back().connection) return last_error("cannot connect to " + name);
  }
  all.insert(all.begin() + 1,
             {.name = "floor", .crowd = std::make_unique<BareCrowd>(std::move(*command_line), plan_of("floor"))});
  if (const auto pid = arguments.numbers("pid", ""); pid.size() == 1) all.front().pid = pid.front();
  for (auto& one : all) {
    if (auto ready = one.crowd->prepare(start_clients); !ready) return pass_on(ready);
    if (auto started = start_crowd(*one.crowd, start_clients); !started) return pass_on(started);
    for (const auto& what : operations)  // the first is not measured: it may fill caches
      if (auto once = one.ask(what); !once) return pass_on(once);
  }
  return all;
}

Result<void> ask_once(Contender& one, std::size_t op) {
  const auto all_before = one.pid > 0 ? process_time(one.pid) : std::chrono::nanoseconds(0);
  const auto core_before = one.pid > 0 ? thread_time(one.pid, "core") : std::chrono::nanoseconds(0);
  auto took = one.ask(operations[op]);
  if (!took) return pass_on(took);
  one.series[op].add(*took);
  if (one.pid == 0) return {};
  const auto core = thread_time(one.pid, "core");
  const auto all = process_time(one.pid);
  if (!all_before || !core_before || !core || !all) return fail(VIR_ERR_INTERNAL_ERROR, "vireod has ended");
  one.all_threads[op].add(*all - *all_before);
  one.core[op].add(*core - *core_before);
  return {};
}

Result<void> measure(std::vector<Contender>& all, int rounds) {
  for (int round = 0; round < rounds; ++round)
    for (std::size_t op = 0; op < operations.size(); ++op)
      for (std::size_t turn = 0; turn < all.size(); ++turn) {
        auto& one = all[(turn + static_cast<std::size_t>(round)) % all.size()];
        if (!one.connection && operations[op].flags != 0) continue;
        if (auto done = ask_once(one, op); !done) return done;
      }
  return {};
}

void report(const std::vector<Contender>& all, int guests, Report& into) {
  for (std::size_t op = 0; op < operations.size(); ++op) {
    Row row{.operation = fmt::format("{}: {}", guests, operations[op].name), .median_us = {}, .samples = {}};
    for (const auto& one : all) {
      row.median_us.push_back(one.series[op].median_us());
      row.samples.push_back(one.series[op].size());
    }
    into.rows.push_back(std::move(row));
  }
}

// The first contender is Vireo, the second the floor, the last libvirtd.
void print_aims(const std::vector<Contender>& all, int guests) {
  const auto verdict = [](bool met) { return met ? "met" : "MISSED"; };
  for (std::size_t op = 0; op < operations.size(); ++op) {
    const auto own = all.front().series[op].median_us();
    const auto other = all.back().series[operations[op].fresh].median_us();
    if (!own || !other) continue;
    fmt::print("{:>4} guests, {:<20} {:>7.1f} times faster than libvirtd's fresh answer (aim {:>3}: {})", guests,
               operations[op].name, *other / *own, operations[op].aim, verdict(*other / *own >= operations[op].aim));
    if (const auto floor = all[1].series[op].median_us())
      fmt::print(", {:.2f} times the floor (aim {}: {})", *own / *floor, floor_aim,
                 verdict(*own / *floor <= floor_aim));
    fmt::print("\n");
  }
}

void print_processor_time(const Contender& vireo, int guests) {
  if (vireo.pid == 0) return;
  fmt::print("{:>4} guests, Vireo's processor time for each guest:", guests);
  for (std::size_t op = 0; op < operations.size(); ++op) {
    const auto all = vireo.all_threads[op].median_us().value_or(0);
    const auto core = vireo.core[op].median_us().value_or(0);
    fmt::print(" {} {:.1f} us in the core and {:.1f} us elsewhere;", operations[op].name, core / guests,
               (all - core) / guests);
  }
  fmt::print("\n");
}

struct Command {
  const char* name;
  const char* text;
  const char* used;
};
// What libvirtd 9.0 asks: its log of a call, with filters for qemu_monitor.
constexpr std::array commands = {
    Command{"query-status", R"({"execute":"query-status"})", "(the least that a command costs)"},
    Command{"query-blockstats", R"({"execute":"query-blockstats"})", "block: Vireo each time, libvirtd twice"},
    Command{"query-named-block-nodes", R"({"execute":"query-named-block-nodes","arguments":{"flat":true}})",
            "block: Vireo once, libvirtd each time"},
    Command{"query-balloon", R"({"execute":"query-balloon"})", "balloon: Vireo hears the event, libvirtd each time"},
    Command{"qom-get guest-stats", R"({"execute":"qom-get","arguments":{"path":"BALLOON","property":"guest-stats"}})",
            "balloon: Vireo if the driver reports, libvirtd each time"},
    Command{"query-iothreads", R"({"execute":"query-iothreads"})", "iothread: libvirtd"},
    Command{"query-dirty-rate", R"({"execute":"query-dirty-rate"})",
            "dirtyrate: Vireo while it is measured, libvirtd each time"},
    Command{"query-stats-schemas", R"({"execute":"query-stats-schemas","arguments":{"provider":"kvm"}})",
            "vcpu, vm: Vireo of KVM guests, libvirtd twice"},
    Command{"query-stats", R"({"execute":"query-stats","arguments":{"target":"vm"}})",
            "cpu, vcpu, vm: Vireo of KVM guests, libvirtd three times"},
};

Result<void> print_costs(const BareCrowd& crowd) {
  fmt::print("\nwhat a monitor command costs, one disk ({})\n{:<26}{:>12}{:>12}{:>9}\n", machine_line(), "", "QEMU",
             "round trip", "bytes");
  for (const auto& command : commands) {
    std::string text = command.text;
    if (const auto at = text.find("BALLOON"); at != std::string::npos)
      text.replace(at, std::strlen("BALLOON"), "/machine/peripheral/balloon0");
    auto cost = cost_of(crowd.qemus().front(), text + "\n");
    if (!cost) return pass_on(cost);
    fmt::print("{:<26}{:>12}{:>12}{:>9}  {}{}\n", command.name, duration_text(cost->qemu_us),
               duration_text(cost->round_trip_us), cost->answer_bytes, command.used, cost->refused ? " (refused)" : "");
  }
  return {};
}

Result<void> run(const Arguments& arguments, const std::vector<int>& guests, int rounds) {
  Report total;
  for (const int n : guests) {
    auto all = start_all(arguments, n);
    if (!all) return pass_on(all);
    if (auto done = measure(*all, rounds); !done) return done;
    Report own;
    for (const auto& one : *all) own.servers.push_back(one.name);
    report(*all, n, own);
    fmt::print("\n{} guests, {} rounds ({})\n{}", n, rounds, machine_line(), own.table());
    print_aims(*all, n);
    print_processor_time(all->front(), n);
    total.servers = own.servers;
    total.rows.insert(total.rows.end(), own.rows.begin(), own.rows.end());
    if (n == guests.back())
      if (auto done = print_costs(static_cast<const BareCrowd&>(*(*all)[1].crowd)); !done) return done;
    for (auto& one : *all)
      if (auto stopped = one.crowd->stop_all(); !stopped) return stopped;
  }
  const auto json = arguments.text("json", "");
  return json.empty() ? Result<void>{} : total.write_json(json);
}

}  // namespace
}  // namespace vireo::bench

int main(int argc, char** argv) {
  using namespace vireo::bench;
  const auto arguments = Arguments::parse(argc, argv, {"guests", "rounds", "json", "images", "pid"});
  const auto guests = arguments ? arguments->numbers("guests", "20,40,100") : std::vector<int>{};
  const auto rounds = arguments ? arguments->numbers("rounds", "21") : std::vector<int>{};
  if (guests.empty() || rounds.size() != 1 || arguments->servers.empty() || arguments->text("images", "").empty()) {
    fmt::print(stderr,
               "usage: bench_stats [--guests N,…] [--rounds N] [--json FILE] [--pid PID] --images FOLDER vireo=URI "
               "libvirtd=URI\n");
    return 2;
  }
  virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const auto done = run(*arguments, guests, rounds.front());
  if (!done) fmt::print(stderr, "bench_stats: {}\n", done.error().message());
  return done ? 0 : 1;
}
