// Measures what clients wait for: the same operations on each server in turn, in one process and one run, so that
// whatever else the machine does falls on all of them alike. Prints medians and ratios.
//
//   bench_connect [--json FILE] NAME=URI …     a server named "floor" replays the last one's answers; for what QEMU
//                                              does, its figures are those of QEMU alone
// Leaves the servers as they were, except that their guests' ids have moved on. Exits 1 if any operation failed.
#include <fmt/format.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <csignal>
#include <cstdio>
#include <string_view>

#include "operations.hpp"
#include "qemu_floor.hpp"
#include "report.hpp"
#include "server.hpp"

namespace vireo::bench {
namespace {

volatile std::sig_atomic_t interrupted = 0;

Result<Clock::duration> run_once(const Operation& operation, Server& server) {
  if (operation.starts_qemu && server.replays) {
    auto alone = measure_qemu("/usr/bin/qemu-system-x86_64");
    if (!alone) return pass_on(alone);
    return alone->start + alone->stop;
  }
  const auto begun = Clock::now();
  auto done = operation.run(server);
  const auto took = Clock::now() - begun;
  if (!done) return pass_on(done);
  return took;
}

// One operation on all servers, taking turns; whose turn comes first moves on each round.
Row measure(const Operation& operation, std::vector<Server>& servers, bool& failed) {
  std::vector<Series> series(servers.size());
  std::vector<bool> out(servers.size(), false);
  for (int round = 0; round < operation.rounds && !interrupted; ++round) {
    for (std::size_t turn = 0; turn < servers.size(); ++turn) {
      const auto s = (turn + static_cast<std::size_t>(round)) % servers.size();
      for (int i = 0; i < operation.batch && !out[s]; ++i) {
        const auto took = run_once(operation, servers[s]);
        if (took) {
          series[s].add(*took);
          continue;
        }
        // A server that fails is out of this operation and keeps no figure: a fast refusal is not a result.
        fmt::print(stderr, "failed on {}: {}: {}\n", servers[s].name, operation.name, took.error().message());
        series[s] = {};
        out[s] = true;
        failed = true;
      }
    }
  }
  Row row{.operation = operation.name, .median_us = {}, .samples = {}};
  for (const auto& one : series) {
    row.median_us.push_back(one.median_us());
    row.samples.push_back(one.size());
  }
  return row;
}

int run(std::vector<Server> servers, const std::string& json) {
  bool failed = false;
  Report report;
  for (const auto& server : servers) report.servers.push_back(server.name);
  // Backwards: the replaying server stands before the one whose guests it shows.
  for (auto server = servers.rbegin(); server != servers.rend() && !failed; ++server) {
    auto ready = server->connect();
    if (ready) ready = server->prepare();
    if (!ready) {
      fmt::print(stderr, "{}\n", ready.error().message());
      failed = true;
    }
  }
  if (!failed)
    for (const auto& operation : operations()) report.rows.push_back(measure(operation, servers, failed));
  for (auto& server : servers) server.clean_up();
  if (report.rows.empty()) return 1;
  fmt::print("{}", report.table());
  if (!json.empty()) {
    const auto written = report.write_json(json);
    if (!written) fmt::print(stderr, "{}\n", written.error().message());
    failed = failed || !written;
  }
  return failed || interrupted ? 1 : 0;
}

}  // namespace
}  // namespace vireo::bench

int main(int argc, char** argv) {
  using namespace vireo::bench;
  std::vector<Server> servers;
  std::string json;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--json" && i + 1 < argc) {
      json = argv[++i];
    } else if (const auto equals = arg.find('='); equals != std::string::npos) {
      Server server;
      server.name = arg.substr(0, equals);
      server.uri = arg.substr(equals + 1);
      server.replays = server.name == "floor";
      servers.push_back(std::move(server));
    }
  }
  if (servers.empty()) {
    fmt::print(stderr, "usage: bench_connect [--json FILE] NAME=URI …\n");
    return 2;
  }
  // Errors are reported as values; the library would print them as well.
  virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
  std::signal(SIGINT, [](int) { interrupted = 1; });
  std::signal(SIGTERM, [](int) { interrupted = 1; });
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return run(std::move(servers), json);
}
