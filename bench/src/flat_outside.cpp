// Measures, through the socket, whether it matters how many guests a vireod has: simulated guests of its test driver
// are added until there are as many as asked, and at each size clients look up, list, ask states and define. Then what
// each guest takes of the daemon's memory, and how busy the core thread is while guests change their state.
//
//   bench_flat_outside --pid PID [--guests N,…] [--changes N] [--seconds N] test=URI
//
// Leaves the guests: end the daemon afterwards.
#include <fmt/format.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <cstdio>
#include <cstdlib>
#include <random>

#include "arguments.hpp"
#include "open_loop.hpp"
#include "process_figures.hpp"
#include "report.hpp"
#include "server.hpp"
#include "simulated.hpp"

namespace vireo::bench {
namespace {

constexpr int looks = 2000;
constexpr int lists = 15;
constexpr int defines = 50;
constexpr int changing_clients = 4;

struct Flat {
  Connection connection;
  std::vector<Guest> guests;
  pid_t pid;
};

// Median of `times` calls.
Result<double> median_of(int times, const std::function<Result<void>(int)>& once) {
  Series series;
  for (int i = 0; i < times; ++i) {
    const auto begun = Clock::now();
    if (auto done = once(i); !done) return pass_on(done);
    series.add(Clock::now() - begun);
  }
  return *series.median_us();
}

Result<void> check(bool ok, const char* what) {
  if (!ok) return last_error(what);
  return {};
}

Result<void> measure(Flat& flat, int guests) {
  const auto before_count = flat.guests.size();
  const auto before = resident_kib(flat.pid);
  if (auto grown = grow(flat.connection.get(), flat.guests, guests); !grown) return grown;
  const auto after = resident_kib(flat.pid);
  std::mt19937 random(11);
  auto any = [&] { return flat.guests[random() % flat.guests.size()].get(); };
  auto* c = flat.connection.get();

  for (int i = 0; i < looks; ++i)  // not measured: a daemon and a processor that had slept
    virDomainFree(virDomainLookupByName(c, virDomainGetName(any())));

  std::vector<Result<double>> figures;
  figures.push_back(median_of(looks, [&](int) {
    const Guest g(virDomainLookupByID(c, static_cast<int>(virDomainGetID(any()))));
    return check(g != nullptr, "lookup by id");
  }));
  figures.push_back(median_of(looks, [&](int) {
    const Guest g(virDomainLookupByName(c, virDomainGetName(any())));
    return check(g != nullptr, "lookup by name");
  }));
  figures.push_back(median_of(looks, [&](int) {
    unsigned char uuid[VIR_UUID_BUFLEN];
    virDomainGetUUID(any(), uuid);
    const Guest g(virDomainLookupByUUID(c, uuid));
    return check(g != nullptr, "lookup by UUID");
  }));
  figures.push_back(median_of(looks, [&](int) {
    int now = 0;
    return check(virDomainGetState(any(), &now, nullptr, 0) == 0, "state");
  }));
  figures.push_back(median_of(lists, [&](int) {
    virDomainPtr* all = nullptr;
    const int count = virConnectListAllDomains(c, &all, 0);
    for (int i = 0; i < count; ++i) virDomainFree(all[i]);
    std::free(all);
    return check(count >= guests, "list");
  }));
  figures.push_back(median_of(defines, [&](int i) {
    const Guest g(virDomainDefineXML(c, flat_xml(1'000'000 + i).c_str()));
    return check(g && virDomainUndefine(g.get()) == 0, "define and undefine");
  }));
  for (auto& figure : figures)
    if (!figure) return pass_on(figure);
  std::string memory = "-";
  if (const auto added = flat.guests.size() - before_count; before && after && added > 0)
    memory = fmt::format("{:.1f} KiB", (static_cast<double>(*after) - static_cast<double>(*before)) / double(added));
  fmt::print("{:>8}{:>12.1f}{:>12.1f}{:>12.1f}{:>12.1f}{:>15.2f}{:>18.1f}{:>16}\n", guests, *figures[0], *figures[1],
             *figures[2], *figures[3], *figures[4] / guests, *figures[5], memory);
  return {};
}

// `changes` a second, from several clients, each suspending a guest and resuming it before it goes to the next.
Result<void> load_the_core(Flat& flat, const std::string& uri, int changes, int seconds) {
  std::vector<Connection> connections;
  std::vector<std::unique_ptr<OpenLoop>> loops;
  auto before = thread_time(flat.pid, "core");
  if (!before) return pass_on(before);
  for (int c = 0; c < changing_clients; ++c) {
    connections.emplace_back(virConnectOpen(uri.c_str()));
    if (!connections.back()) return last_error("cannot connect");
  }
  const auto begun = Clock::now();
  loops.reserve(changing_clients);
  for (int c = 0; c < changing_clients; ++c)
    loops.push_back(std::make_unique<OpenLoop>(
        double(changes) / changing_clients,
        [connection = connections[static_cast<std::size_t>(c)].get(), c, count = flat.guests.size()](int k) {
          thread_local Guest guest;
          if (k % 2 == 0) {
            const auto n =
                (static_cast<std::size_t>(k / 2) * 7919 * changing_clients + static_cast<std::size_t>(c)) % count;
            guest.reset(virDomainLookupByName(connection, flat_name(static_cast<int>(n)).c_str()));
            return check(guest && virDomainSuspend(guest.get()) == 0, "suspend");
          }
          const auto done = check(virDomainResume(guest.get()) == 0, "resume");
          guest.reset();
          return done;
        }));
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  Series latencies;
  for (auto& loop : loops) {
    auto one = loop->finish();
    if (!one) return pass_on(one);
    latencies.add_all(*one);
  }
  const auto took = std::chrono::duration<double>(Clock::now() - begun).count();
  auto after = thread_time(flat.pid, "core");
  if (!after) return pass_on(after);
  const double busy = std::chrono::duration<double>(*after - *before).count();
  fmt::print(
      "\n{} guests, {:.0f} changes of state a second for {:.1f} s ({}):\n  core thread busy {:.1f} %, {:.0f} us for "
      "each "
      "change; from when a change was due until its answer: median {}, p99 {}\n",
      flat.guests.size(), double(latencies.size()) / took, took, machine_line(), 100 * busy / took,
      1e6 * busy / double(latencies.size()), duration_text(latencies.median_us()),
      duration_text(latencies.quantile_us(0.99)));
  return {};
}

Result<void> run(const std::string& uri, pid_t pid, const std::vector<int>& sizes, int changes, int seconds) {
  Flat flat{.connection = Connection(virConnectOpen(uri.c_str())), .guests = {}, .pid = pid};
  if (!flat.connection) return last_error(fmt::format("cannot connect to {}", uri));
  fmt::print("\nover the socket, medians in microseconds ({})\n{:>8}{:>12}{:>12}{:>12}{:>12}{:>15}{:>18}{:>16}\n",
             machine_line(), "guests", "by id", "by name", "by UUID", "state", "list: each", "define, undefine",
             "memory: each");
  for (const int n : sizes)
    if (auto done = measure(flat, n); !done) return done;
  return load_the_core(flat, uri, changes, seconds);
}

}  // namespace
}  // namespace vireo::bench

int main(int argc, char** argv) {
  using namespace vireo::bench;
  const auto arguments = Arguments::parse(argc, argv, {"pid", "guests", "changes", "seconds"});
  std::vector<int> sizes;
  std::vector<int> numbers;
  if (arguments && arguments->servers.size() == 1) {
    sizes = arguments->numbers("guests", "10,100,1000,10000");
    for (const auto& [name, otherwise] : {std::pair("pid", ""), {"changes", "500"}, {"seconds", "10"}})
      if (const auto got = arguments->numbers(name, otherwise); got.size() == 1) numbers.push_back(got.front());
  }
  if (sizes.empty() || numbers.size() != 3) {
    fmt::print(stderr, "usage: bench_flat_outside --pid PID [--guests N,…] [--changes N] [--seconds N] test=URI\n");
    return 2;
  }
  virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const auto done = run(arguments->servers.front().second, numbers[0], sizes, numbers[1], numbers[2]);
  if (!done) fmt::print(stderr, "bench_flat_outside: {}\n", done.error().message());
  return done ? 0 : 1;
}
