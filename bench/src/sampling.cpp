// Measures what it costs a vireod to sample many guests all the time: simulated guests of its test driver are added
// until there are as many as asked, and at each size the daemon is watched for a while (processor time of the core
// thread and of the whole process, and memory), the figures of all guests are asked from samples, and a scrape is made.
//
//   bench_sampling --pid PID --http SOCKET [--guests N,…] [--seconds N] test=URI
//
// Leaves the guests: end the daemon afterwards.
#include <fmt/format.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <string_view>
#include <thread>

#include "arguments.hpp"
#include "base/fd.hpp"
#include "process_figures.hpp"
#include "report.hpp"
#include "simulated.hpp"

namespace vireo::bench {
namespace {

constexpr int asks = 11;
constexpr std::chrono::seconds settling{6};  // more than one period of the sampler

struct Scrape {
  std::size_t bytes = 0;
  bool found = false;
};

Result<Scrape> scrape(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(VIR_ERR_INVALID_ARG, "the socket's path is too long");
  path.copy(address.sun_path, path.size());
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  constexpr std::string_view request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (!socket || ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0)
    return fail_errno(errno, fmt::format("cannot ask at '{}'", path));
  Scrape out;
  std::vector<char> room(std::size_t{1} << 18);
  for (;;) {
    const auto n = ::recv(socket.get(), room.data(), room.size(), 0);
    if (n < 0) return fail_errno(errno, "waiting for a scrape");
    if (n == 0) return out;
    if (out.bytes == 0) out.found = std::string_view(room.data(), static_cast<std::size_t>(n)).contains(" 200 ");
    out.bytes += static_cast<std::size_t>(n);
  }
}

// What the daemon has used of one processor between two moments.
struct Usage {
  Clock::time_point at;
  std::chrono::nanoseconds core{}, all{};
};
Result<Usage> usage(pid_t pid) {
  auto core = thread_time(pid, "core");
  auto all = process_time(pid);
  if (!core) return pass_on(core);
  if (!all) return pass_on(all);
  return Usage{.at = Clock::now(), .core = *core, .all = *all};
}

// The median time of `once`, and what the daemon uses for it beyond what it uses anyhow.
struct Cost {
  std::optional<double> median_us;
  double processor_us = 0;
};
Result<Cost> cost_of(pid_t pid, double busy_anyhow, const std::function<Result<void>()>& once) {
  Series series;
  auto before = usage(pid);
  if (!before) return pass_on(before);
  for (int i = 0; i < asks; ++i) {
    const auto begun = Clock::now();
    if (auto done = once(); !done) return pass_on(done);
    series.add(Clock::now() - begun);
  }
  auto after = usage(pid);
  if (!after) return pass_on(after);
  const double took = std::chrono::duration<double, std::micro>(after->at - before->at).count();
  const double used = std::chrono::duration<double, std::micro>(after->all - before->all).count();
  return Cost{.median_us = series.median_us(), .processor_us = std::max(0.0, (used - took * busy_anyhow) / asks)};
}

struct Watched {
  Connection connection;
  std::vector<Guest> guests;
  pid_t pid;
  std::string http;
};

Result<void> measure(Watched& one, int count, int seconds) {
  const auto at_first = resident_kib(one.pid);
  if (auto grown = grow(one.connection.get(), one.guests, count); !grown) return grown;
  std::this_thread::sleep_for(settling);
  auto before = usage(one.pid);
  if (!before) return pass_on(before);
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  auto after = usage(one.pid);
  if (!after) return pass_on(after);
  const auto resident = resident_kib(one.pid);
  const double took = std::chrono::duration<double>(after->at - before->at).count();
  const double core = std::chrono::duration<double>(after->core - before->core).count() / took;
  const double all = std::chrono::duration<double>(after->all - before->all).count() / took;

  auto records = cost_of(one.pid, all, [&]() -> Result<void> {
    virDomainStatsRecordPtr* answer = nullptr;
    const int got =
        virConnectGetAllDomainStats(one.connection.get(), 0, &answer, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
    if (got < 0) return last_error("statistics");
    virDomainStatsRecordListFree(answer);
    return {};
  });
  if (!records) return pass_on(records);
  Scrape scraped;
  auto scrapes = cost_of(one.pid, all, [&]() -> Result<void> {
    auto done = scrape(one.http);
    if (!done) return pass_on(done);
    scraped = *done;
    return {};
  });
  if (!scrapes) return pass_on(scrapes);
  fmt::print("{:>8}{:>9.1f} %{:>9.1f} %{:>12.1f} us{:>14}{:>14}{:>14}", count, 100 * core, 100 * all,
             core * 5e6 / count, at_first && resident ? fmt::format("{:.1f} MiB", double(*resident) / 1024) : "-",
             duration_text(records->median_us), duration_text(records->processor_us));
  if (scraped.found)
    fmt::print("{:>14}{:>14}{:>12}\n", duration_text(scrapes->median_us), duration_text(scrapes->processor_us),
               fmt::format("{} KiB", scraped.bytes / 1024));
  else
    fmt::print("{:>14}{:>14}{:>12}\n", "-", "-", "-");
  return {};
}

Result<void> run(const std::string& uri, pid_t pid, const std::string& http, const std::vector<int>& sizes,
                 int seconds) {
  Watched one{.connection = Connection(virConnectOpen(uri.c_str())), .guests = {}, .pid = pid, .http = http};
  if (!one.connection) return last_error(fmt::format("cannot connect to {}", uri));
  fmt::print("sampled every 5 s ({})\n{:>8}{:>11}{:>11}{:>15}{:>14}{:>14}{:>14}{:>14}{:>14}{:>12}\n", machine_line(),
             "guests", "core", "all", "core: sample", "resident", "NOWAIT", "of vireod", "scrape", "of vireod", "");
  for (const int n : sizes)
    if (auto done = measure(one, n, seconds); !done) return done;
  fmt::print("({})\n", machine_line());
  return {};
}

}  // namespace
}  // namespace vireo::bench

int main(int argc, char** argv) {
  using namespace vireo::bench;
  const auto arguments = Arguments::parse(argc, argv, {"pid", "http", "guests", "seconds"});
  std::vector<int> sizes;
  std::vector<int> numbers;
  if (arguments && arguments->servers.size() == 1) {
    sizes = arguments->numbers("guests", "1000,10000");
    for (const auto& [name, otherwise] : {std::pair("pid", ""), {"seconds", "20"}})
      if (const auto got = arguments->numbers(name, otherwise); got.size() == 1) numbers.push_back(got.front());
  }
  if (sizes.empty() || numbers.size() != 2) {
    fmt::print(stderr, "usage: bench_sampling --pid PID --http SOCKET [--guests N,…] [--seconds N] test=URI\n");
    return 2;
  }
  virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const auto done = run(arguments->servers.front().second, numbers[0], arguments->text("http", ""), sizes, numbers[1]);
  if (!done) fmt::print(stderr, "bench_sampling: {}\n", done.error().message());
  return done ? 0 : 1;
}
