// Measures what a person waits for who types `virsh list`: the program started, connected, answered, ended. With paused
// guests on each server, taking turns with each other and with `virsh --version`, which asks nobody. A server named
// "null" replays the last one's answers and has no guests of its own.
//
//   bench_virsh_list [--guests N] [--rounds N] NAME=URI …
#include <fcntl.h>
#include <fmt/format.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdio>

#include "arguments.hpp"
#include "crowd.hpp"
#include "report.hpp"

namespace vireo::bench {
namespace {

constexpr int starting_clients = 4;

// Runs a program with its output thrown away; error: it could not be run, or did not exit with 0.
Result<void> run_program(std::vector<std::string> words) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int err = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (err != 0) return fail_errno(err, fmt::format("cannot run {}", words.front()));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (status != 0)
    return fail(VIR_ERR_INTERNAL_ERROR, fmt::format("'{}' ended with status {:#x}", fmt::join(words, " "), status));
  return {};
}

Result<void> run(const Arguments& arguments, const CrowdPlan& plan, int rounds) {
  struct Contestant {
    std::vector<std::string> words;
    Series series;
  };
  std::vector<std::unique_ptr<ServerCrowd>> crowds;
  std::vector<Contestant> all;
  Report report;
  for (const auto& [name, uri] : arguments.servers) {
    report.servers.push_back(name);
    all.push_back({.words = {"virsh", "-c", uri, "list"}, .series = {}});
    if (name == "null") continue;
    crowds.push_back(std::make_unique<ServerCrowd>(uri, plan));
    if (auto ready = crowds.back()->prepare(starting_clients); !ready) return ready;
    if (auto started = start_crowd(*crowds.back(), starting_clients); !started) return pass_on(started);
  }
  report.servers.emplace_back("--version");
  all.push_back({.words = {"virsh", "--version"}, .series = {}});
  for (auto one = all.rbegin(); one != all.rend(); ++one)  // the first is not measured
    if (auto done = run_program(one->words); !done) return done;

  for (int round = 0; round < rounds; ++round)
    for (std::size_t turn = 0; turn < all.size(); ++turn) {
      auto& one = all[(turn + static_cast<std::size_t>(round)) % all.size()];
      const auto begun = Clock::now();
      if (auto done = run_program(one.words); !done) return done;
      one.series.add(Clock::now() - begun);
    }
  Row row{.operation = fmt::format("virsh list, {} guests", plan.guests), .median_us = {}, .samples = {}};
  for (const auto& one : all) {
    row.median_us.push_back(one.series.median_us());
    row.samples.push_back(one.series.size());
  }
  report.rows.push_back(std::move(row));
  fmt::print("\n{}\n{}", machine_line(), report.table());
  return {};
}

}  // namespace
}  // namespace vireo::bench

int main(int argc, char** argv) {
  using namespace vireo::bench;
  const auto arguments = Arguments::parse(argc, argv, {"guests", "rounds"});
  const auto guests = arguments ? arguments->numbers("guests", "20") : std::vector<int>{};
  const auto rounds = arguments ? arguments->numbers("rounds", "100") : std::vector<int>{};
  if (guests.size() != 1 || rounds.size() != 1 || arguments->servers.empty()) {
    fmt::print(stderr, "usage: bench_virsh_list [--guests N] [--rounds N] NAME=URI …\n");
    return 2;
  }
  virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
  const auto done = run(*arguments, {.guests = guests.front()}, rounds.front());
  if (!done) fmt::print(stderr, "bench_virsh_list: {}\n", done.error().message());
  return done ? 0 : 1;
}
