// The floors that have no libvirt in them: a frame sent and sent back over a unix socket between two threads, and
// QEMU started and ended by nobody but us.
//
//   bench_bare EMULATOR
#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

#include "base/fd.hpp"
#include "qemu_floor.hpp"
#include "report.hpp"

namespace vireo::bench {
namespace {

constexpr int socket_rounds = 5000;
constexpr int qemu_rounds = 11;

Result<Series> measure_socket() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return fail_errno(errno, "cannot make a socket");
  Fd near(ends[0]);
  Fd far(ends[1]);
  std::array<char, 28> frame{};  // a header without payload
  std::thread echo([fd = far.get()] {
    std::array<char, 28> got{};
    while (::recv(fd, got.data(), got.size(), MSG_WAITALL) > 0) ::send(fd, got.data(), got.size(), MSG_NOSIGNAL);
  });
  Series series;
  for (int i = 0; i < socket_rounds; ++i) {
    const auto begun = Clock::now();
    ::send(near.get(), frame.data(), frame.size(), MSG_NOSIGNAL);
    ::recv(near.get(), frame.data(), frame.size(), MSG_WAITALL);
    series.add(Clock::now() - begun);
  }
  near.reset();  // the echo reads the end
  echo.join();
  return series;
}

Result<void> run(const char* emulator) {
  auto bare = measure_socket();
  if (!bare) return pass_on(bare);
  Series start;
  Series stop;
  for (int i = 0; i < qemu_rounds; ++i) {
    auto once = measure_qemu(emulator);
    if (!once) return pass_on(once);
    start.add(once->start);
    stop.add(once->stop);
  }
  Report report{.servers = {"bare"}, .rows = {}};
  report.rows.push_back({"28 bytes there and back", {bare->median_us()}, {bare->size()}});
  report.rows.push_back({"QEMU: spawn to monitor", {start.median_us()}, {start.size()}});
  report.rows.push_back({"QEMU: SIGKILL to reaped", {stop.median_us()}, {stop.size()}});
  fmt::print("{}", report.table());
  return {};
}

}  // namespace
}  // namespace vireo::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: bench_bare EMULATOR\n");
    return 2;
  }
  const auto done = vireo::bench::run(argv[1]);
  if (!done) fmt::print(stderr, "bench_bare: {}\n", done.error().message());
  return done ? 0 : 1;
}
