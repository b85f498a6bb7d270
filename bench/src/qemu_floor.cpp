// QEMU is started as Vireo starts it: it inherits a listening monitor socket to which we have connected already, so
// that nothing polls. See qemu_floor.hpp.
#include "qemu_floor.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string_view>

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

Result<BareQemu> spawn_qemu(std::vector<std::string> arguments) {
  // An abstract address (first byte 0) leaves no file behind; the kernel picks it when only the family is given.
  Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  BareQemu qemu{.pid = -1, .monitor = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socklen_t length = sizeof address;
  const timeval deadline{.tv_sec = 20, .tv_usec = 0};
  if (!listener || !qemu.monitor ||
      ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address.sun_family) != 0 ||
      ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
      ::connect(qemu.monitor.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::setsockopt(qemu.monitor.get(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline) != 0)
    return fail_errno(errno, "cannot make a monitor socket");

  std::vector<char*> argv;
  for (auto& argument : arguments) {
    if (const auto at = argument.find("fd={}"); at != std::string::npos)
      argument.replace(at, 5, fmt::format("fd={}", listener.get()));
    argv.push_back(argument.data());
  }
  argv.push_back(nullptr);

  // Onto itself: that clears close-on-exec in the child alone, so that spawners beside us pass nothing of ours on.
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, listener.get(), listener.get());
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const int err = ::posix_spawn(&qemu.pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (err != 0) return fail_errno(err, fmt::format("cannot start '{}'", arguments.front()));

  constexpr std::string_view hello = "{\"execute\":\"qmp_capabilities\"}\n";
  auto answered = read_until(qemu.monitor.get(), "\"QMP\"");
  if (answered && ::send(qemu.monitor.get(), hello.data(), hello.size(), MSG_NOSIGNAL) < 0)
    answered = fail_errno(errno, "cannot write to QEMU's monitor");
  if (answered) answered = read_until(qemu.monitor.get(), "\"return\"");
  if (answered) return qemu;
  kill_qemu(qemu);
  return pass_on(answered);
}

void kill_qemu(const BareQemu& qemu) {
  ::kill(qemu.pid, SIGKILL);
  while (::waitpid(qemu.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<QemuFloor> measure_qemu(const char* emulator) {
  const auto begun = Clock::now();
  auto qemu = spawn_qemu({emulator, "-nodefaults", "-no-user-config", "-display", "none", "-machine", "pc", "-accel",
                          "tcg", "-m", "64", "-S", "-chardev", "socket,id=mon,fd={},server=on,wait=off", "-mon",
                          "chardev=mon,mode=control"});
  if (!qemu) return pass_on(qemu);
  const auto ready = Clock::now();
  kill_qemu(*qemu);
  return QemuFloor{.start = ready - begun, .stop = Clock::now() - ready};
}

}  // namespace vireo::bench
