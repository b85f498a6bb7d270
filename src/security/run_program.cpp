// A pipe tells what it says and, by its closing, that it has ended.
#include "security/run_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.hpp"

namespace vireo::security {

namespace {

constexpr std::size_t kMostSaid = 2000;

Result<pid_t> start(const std::vector<std::string>& argv, int output) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output, 1);
  ::posix_spawn_file_actions_adddup2(&actions, output, 2);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
  char* environment[] = {path, locale, nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, words.front(), &actions, &attributes, words.data(), environment);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fail_errno(error, "cannot execute '" + argv.front() + "'");
  return pid;
}

// False: the deadline has passed.
bool listen(const Fd& pipe, std::string& said, Deadline deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.time() - SteadyClock::now()).count();
    if (left <= 0) return false;
    pollfd readable{.fd = pipe.get(), .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, static_cast<int>(std::min<long long>(left, 60'000))) <= 0) continue;
    char bytes[1024];
    const auto count = ::read(pipe.get(), bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return true;
    if (said.size() < kMostSaid) said.append(bytes, static_cast<std::size_t>(count));
  }
}

}  // namespace

Result<void> run_program(const std::vector<std::string>& argv, Deadline deadline) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return fail_errno(errno, "cannot make a pipe");
  const Fd pipe(ends[0]);
  Fd output(ends[1]);
  auto pid = start(argv, output.get());
  if (!pid) return pass_on(pid);
  output.reset();
  std::string said;
  const bool in_time = listen(pipe, said, deadline);
  if (!in_time) ::kill(*pid, SIGKILL);
  int status = 0;
  while (::waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) return fail(VIR_ERR_OPERATION_TIMEOUT, "'" + argv.front() + "' did not end in time");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  while (!said.empty() && said.back() == '\n') said.pop_back();
  const auto how = WIFEXITED(status) ? fmt::format("failed with status {}", WEXITSTATUS(status))
                                     : fmt::format("was ended by signal {}", WTERMSIG(status));
  return fail(VIR_ERR_INTERNAL_ERROR, fmt::format("'{}' {}: {}", argv.front(), how, said));
}

}  // namespace vireo::security
