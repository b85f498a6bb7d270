// Spawning scripts and reading what they say. See stats_loops.hpp.
#include "stats_loops.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

namespace vireo::bench {
namespace {

// The next byte is that of a line's end, or there is none.
std::string read_line(int fd) {
  std::string line;
  for (char c = 0; ::read(fd, &c, 1) == 1 && c != '\n';) line.push_back(c);
  return line;
}

void wait_for(pid_t pid) {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace

Result<StatsLoops> StatsLoops::start(const std::string& program, const std::string& uri, int count) {
  StatsLoops all;
  for (int i = 0; i < count; ++i) {
    int in[2];
    int out[2];
    if (::pipe2(in, O_CLOEXEC) != 0) return fail_errno(errno, "cannot make a pipe");
    Fd theirs(in[0]);
    Loop loop{.pid = -1, .in = Fd(in[1]), .out = Fd()};
    if (::pipe2(out, O_CLOEXEC) != 0) return fail_errno(errno, "cannot make a pipe");
    loop.out = Fd(out[0]);
    const Fd said(out[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, said.get(), STDOUT_FILENO);
    std::string words[] = {program, uri};
    char* const argv[] = {words[0].data(), words[1].data(), nullptr};
    const int err = ::posix_spawn(&loop.pid, argv[0], &actions, nullptr, argv, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (err != 0) return fail_errno(err, fmt::format("cannot start '{}'", program));
    all.loops_.push_back(std::move(loop));
  }
  for (const auto& loop : all.loops_)
    if (read_line(loop.out.get()) != "ready")
      return fail(VIR_ERR_INTERNAL_ERROR, fmt::format("{} {} has failed", program, uri));
  return all;
}

StatsLoops::~StatsLoops() { [[maybe_unused]] const auto best_effort = finish(); }

Result<LoopsSaid> StatsLoops::finish() {
  LoopsSaid out;
  for (auto& loop : loops_) loop.in.reset();
  bool silent = false;
  for (auto& loop : std::exchange(loops_, {})) {
    std::size_t answers = 0;
    for (std::string line; !(line = read_line(loop.out.get())).empty(); ++answers) {
      std::int64_t us = 0;
      const auto number = std::from_chars(line.data(), line.data() + line.size(), us);
      if (number.ec == std::errc())
        out.waited.add(std::chrono::microseconds(us));
      else
        ++out.refused;
    }
    silent = silent || answers == 0;
    wait_for(loop.pid);
  }
  if (silent) return fail(VIR_ERR_INTERNAL_ERROR, "a monitoring script got no answer");
  return out;
}

}  // namespace vireo::bench
