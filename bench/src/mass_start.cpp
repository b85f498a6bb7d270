// Measures how long many guests take to start at once: on each server, and as QEMUs that nobody manages (the floor,
// with the command line that the first server gives its guests), taking turns in one run. Prints totals, rates, what
// each guest waited, and ratios.
//
//   bench_mass_start [--guests N,…] [--clients N,…] [--rounds N] [--kernel FOLDER --consoles FOLDER] NAME=URI …
//
// With a kernel, guests boot it, and are started when their serial console has said the line that tools/make-guest
// gives them to say; without one they start paused. Where FOLDER holds a folder of a server's name, that one is its.
#include <fmt/format.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "arguments.hpp"
#include "bare_crowd.hpp"
#include "crowd.hpp"
#include "report.hpp"

namespace vireo::bench {
namespace {

constexpr std::string_view greeting = "hello from vireo-guest";
constexpr std::chrono::seconds boot_patience{300};

struct Contender {
  std::string name;
  std::unique_ptr<Crowd> crowd;
  Series totals, each;
};

// Until every guest has said its line; error: VIR_ERR_OPERATION_TIMEOUT naming one that has not.
Result<void> wait_for_greetings(const CrowdPlan& plan) {
  const auto deadline = Clock::now() + boot_patience;
  for (int n = 0; n < plan.guests;) {
    std::ifstream in(plan.console(n), std::ios::binary);
    const std::string said{std::istreambuf_iterator<char>(in), {}};
    if (said.find(greeting) != std::string::npos) {
      ++n;
      continue;
    }
    if (Clock::now() > deadline)
      return fail(VIR_ERR_OPERATION_TIMEOUT, fmt::format("{} has not said '{}'", crowd_name(n), greeting));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return {};
}

Result<void> measure_once(Contender& one, int clients) {
  const auto& plan = one.crowd->plan();
  if (auto ready = one.crowd->prepare(clients); !ready) return ready;
  if (!plan.paused())
    for (int n = 0; n < plan.guests; ++n) std::filesystem::remove(plan.console(n));
  const auto begun = Clock::now();
  auto storm = start_crowd(*one.crowd, clients);
  Result<void> up = storm ? Result<void>{} : Result<void>(std::unexpected(storm.error()));
  if (up && !plan.paused()) up = wait_for_greetings(plan);
  const auto took = Clock::now() - begun;
  const auto stopped = one.crowd->stop_all();
  if (!up) return up;
  one.totals.add(plan.paused() ? storm->total : took);
  one.each.add_all(storm->each);
  return stopped;
}

void print(const std::vector<Contender>& all, int guests, int clients) {
  fmt::print("\n{} guests, {} client{} ({})\n{:<10}{:>12}{:>14}{:>14}{:>14}{:>9}{:>9}", guests, clients,
             clients == 1 ? "" : "s", machine_line(), "", "total", "guests/s", "each: mean", "p99", "rounds", "");
  for (const auto& other : all) fmt::print("{:>16}", "time/" + other.name);
  fmt::print("\n");
  for (const auto& one : all) {
    const auto total = one.totals.median_us();
    fmt::print("{:<10}{:>12}{:>14}{:>14}{:>14}{:>9}{:>9}", one.name, duration_text(total),
               total ? fmt::format("{:.1f}", guests / *total * 1e6) : "-", duration_text(one.each.mean_us()),
               duration_text(one.each.quantile_us(0.99)), one.totals.size(), "");
    for (const auto& other : all) fmt::print("{:>16}", ratio_text(total, other.totals.median_us()));
    fmt::print("\n");
  }
}

Result<void> run(const Arguments& arguments, int guests, int clients, int rounds) {
  CrowdPlan plan{.guests = guests};
  std::vector<Contender> all;
  auto plan_for = [&](const std::string& name) {
    auto own = plan;
    if (const auto kernel = arguments.text("kernel", ""); !kernel.empty()) {
      const auto folder = std::filesystem::path(kernel) / name;
      own.kernel_folder = std::filesystem::exists(folder) ? folder.string() : kernel;
      own.console_folder = arguments.text("consoles", kernel) + "/" + name;
      own.memory_mib = 96;
    }
    return own;
  };
  all.reserve(arguments.servers.size() + 1);
  for (const auto& [name, uri] : arguments.servers)
    all.push_back({.name = name, .crowd = std::make_unique<ServerCrowd>(uri, plan_for(name))});
  const auto& [first, first_uri] = arguments.servers.front();
  auto command_line = command_line_at(first_uri, plan_for(first));
  if (!command_line) return pass_on(command_line);
  // The floor's guests write where the command line says.
  all.push_back({.name = "floor", .crowd = std::make_unique<BareCrowd>(std::move(*command_line), plan_for(first))});
  for (int round = 0; round < rounds; ++round)
    for (std::size_t turn = 0; turn < all.size(); ++turn) {
      auto& one = all[(turn + static_cast<std::size_t>(round)) % all.size()];
      if (auto done = measure_once(one, clients); !done)
        return fail(done.error().code, fmt::format("{}: {}", one.name, done.error().detail));
    }
  print(all, guests, clients);
  return {};
}

}  // namespace
}  // namespace vireo::bench

int main(int argc, char** argv) {
  using namespace vireo::bench;
  const auto arguments = Arguments::parse(argc, argv, {"guests", "clients", "rounds", "kernel", "consoles"});
  const auto guests = arguments ? arguments->numbers("guests", "40") : std::vector<int>{};
  const auto clients = arguments ? arguments->numbers("clients", "1,2,8") : std::vector<int>{};
  const auto rounds = arguments ? arguments->numbers("rounds", "3") : std::vector<int>{};
  if (guests.empty() || clients.empty() || rounds.size() != 1 || arguments->servers.empty()) {
    fmt::print(
        stderr,
        "usage: bench_mass_start [--guests N,…] [--clients N,…] [--rounds N] [--kernel FOLDER --consoles FOLDER] "
        "NAME=URI …\n");
    return 2;
  }
  virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (const int n : guests)
    for (const int c : clients)
      if (const auto done = run(*arguments, n, c, rounds.front()); !done) {
        fmt::print(stderr, "bench_mass_start: {}\n", done.error().message());
        return 1;
      }
  return 0;
}
