// Random histories. Each seed is a short story of a whole host on virtual time: two to four clients define, create,
// start (also in batches, all or nothing among them), suspend, resume, destroy, undefine, rename and look up three
// guests under three names, while guests die, clients go away, disks and launches fail, the daemon is ended or killed
// and started again, and the host reboots and starts its marked guests. After every step the published version and the
// tables of claims must be sound (watcher.hpp); at rest, and again after a kill, nothing may be left over; and the
// answers must fit an order of the calls (linearize.hpp).
//
//   VIREO_HISTORIES=N   how many (1,000)
//   VIREO_FIRST_SEED=N  the first of them (1)
//   VIREO_SEED=N        that one alone, with every step printed: a failing seed replays exactly
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <map>

#include "tests/histories/driver.hpp"

namespace vireo::tests {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string told(std::uint64_t seed, const Verdict& verdict) {
  std::string text = fmt::format("seed {} (VIREO_SEED={} prints every step)\n", seed, seed);
  for (const auto& problem : verdict.problems) text += "  " + problem + "\n";
  for (const auto& call : verdict.history) text += "    " + describe(call) + "\n";
  return text;
}

struct Histories : ::testing::Test {
  Histories() { spdlog::set_level(spdlog::level::off); }
};

TEST_F(Histories, AreSoundAfterEveryStepAndCanBeExplained) {
  if (const auto only = number_from("VIREO_SEED", 0)) {
    spdlog::set_level(spdlog::level::debug);
    const auto verdict = run_history(only, {.print = true});
    EXPECT_TRUE(verdict.problems.empty()) << told(only, verdict);
    return;
  }
  const auto first = number_from("VIREO_FIRST_SEED", 1), count = number_from("VIREO_HISTORIES", 1000);
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t calls = 0;
  int failures = 0;
  for (auto seed = first; seed < first + count && failures < 5; ++seed) {
    const auto verdict = run_history(seed);
    calls += verdict.history.size();
    if (verdict.problems.empty()) continue;
    ++failures;
    ADD_FAILURE() << told(seed, verdict);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  fmt::print("{} histories with {} calls, {:.0f} histories a second\n", count, calls,
             static_cast<double>(count) / took.count());
}

TEST_F(Histories, OfOneSeedAreAlwaysTheSame) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto once = run_history(seed), again = run_history(seed);
    EXPECT_EQ(told(seed, once), told(seed, again));
  }
}

TEST_F(Histories, AreNotTame) {
  std::map<Kind, int> done;
  std::map<Answer, int> answers;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed)
    for (const auto& call : run_history(seed).history) {
      ++answers[call.answer];
      done[call.kind] += call.answer == Answer::Ok || call.kind == Kind::Nothing ? 1 : 0;
    }
  for (const auto kind : {Kind::Define, Kind::Create, Kind::Start, Kind::Destroy, Kind::Undefine, Kind::Rename,
                          Kind::Suspend, Kind::Resume, Kind::LookupUuid, Kind::LookupName, Kind::LookupId, Kind::List,
                          Kind::Death, Kind::Undo, Kind::Nothing})
    EXPECT_GE(done[kind], 20) << "kind " << static_cast<int>(kind);
  for (const auto answer : {Answer::Clash, Answer::Refused, Answer::NoDomain, Answer::Failed, Answer::Unknown})
    EXPECT_GE(answers[answer], 20) << "answer " << static_cast<int>(answer);
}

int noticed_in_100(const RunOptions& options) {
  int noticed = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) noticed += run_history(seed, options).problems.empty() ? 0 : 1;
  return noticed;
}

TEST_F(Histories, WithStaleReadsAreNoticed) { EXPECT_GE(noticed_in_100({.stale_reads = true}), 50); }

TEST_F(Histories, WithADiskThatLiesAreNoticed) { EXPECT_GE(noticed_in_100({.lying_disk = true}), 50); }

}  // namespace
}  // namespace vireo::tests
