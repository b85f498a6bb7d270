// QEMU is started as Vireo starts it: it inherits a listening monitor socket to which we have connected already, so
// that nothing polls. See qemu_floor.hpp.
#include "qemu_floor.hpp"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string_view>

#include "base/fd.hpp"

namespace vireo::bench {
namespace {

// Reads until a whole line that contains `what` has come; at most 64 KiB.
Result<void> read_until(int fd, std::string_view what) {
  std::string got;
  char chunk[4096];
  while (got.size() < 65536) {
    const auto n = ::recv(fd, chunk, sizeof chunk, 0);
    if (n <= 0) return fail_errno(n < 0 ? errno : EPIPE, fmt::format("waiting for {} from QEMU", what));
    got.append(chunk, static_cast<std::size_t>(n));
    const auto at = got.find(what);
    if (at != std::string::npos && got.find('\n', at) != std::string::npos) return {};
  }
  return fail(VIR_ERR_INTERNAL_ERROR, fmt::format("QEMU said much, but never {}", what));
}

}  // namespace

Result<QemuFloor> measure_qemu(const char* emulator) {
  // An abstract address (first byte 0) leaves no file behind; the kernel picks it when only the family is given.
  Fd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
  Fd monitor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socklen_t length = sizeof address;
  const timeval deadline{.tv_sec = 20, .tv_usec = 0};
  if (!listener || !monitor ||
      ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address.sun_family) != 0 ||
      ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
      ::connect(monitor.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::setsockopt(monitor.get(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline) != 0)
    return fail_errno(errno, "cannot make a monitor socket");

  std::string chardev = fmt::format("socket,id=mon,fd={},server=on,wait=off", listener.get());
  std::string binary = emulator;
  std::string args[] = {binary,
                        "-nodefaults",
                        "-no-user-config",
                        "-display",
                        "none",
                        "-machine",
                        "pc",
                        "-accel",
                        "tcg",
                        "-m",
                        "64",
                        "-S",
                        "-chardev",
                        chardev,
                        "-mon",
                        "chardev=mon,mode=control"};
  std::vector<char*> argv;
  for (auto& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);

  const auto begun = Clock::now();
  pid_t pid = -1;
  if (const int err = ::posix_spawn(&pid, emulator, nullptr, nullptr, argv.data(), environ); err != 0)
    return fail_errno(err, fmt::format("cannot start '{}'", emulator));

  constexpr std::string_view hello = "{\"execute\":\"qmp_capabilities\"}\n";
  auto answered = read_until(monitor.get(), "\"QMP\"");
  if (answered && ::send(monitor.get(), hello.data(), hello.size(), MSG_NOSIGNAL) < 0)
    answered = fail_errno(errno, "cannot write to QEMU's monitor");
  if (answered) answered = read_until(monitor.get(), "\"return\"");
  const auto ready = Clock::now();
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  const auto reaped = Clock::now();
  if (!answered) return pass_on(answered);
  return QemuFloor{.start = ready - begun, .stop = reaped - ready};
}

}  // namespace vireo::bench
