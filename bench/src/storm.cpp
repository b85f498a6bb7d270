// Measures what other clients wait for while many guests start: lists, lookups, states, and definitions that come and
// go, each asked at a fixed rate by a client of its own (open_loop.hpp). Servers take turns in one run. A server
// named "null" replays the last one's answers and starts nothing: beside it, as many QEMUs are spawned by as many
// threads that nobody manages, so that its figures say what the machine alone makes clients wait.
//
// Then the same with monitoring scripts beside it (stats_loops.hpp), and what that does to the starts.
//
//   bench_storm [--guests N] [--clients N] [--rounds N] [--stats-loop PROGRAM] NAME=URI …
#include <fmt/format.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <cstdio>
#include <cstdlib>

#include "arguments.hpp"
#include "bare_crowd.hpp"
#include "crowd.hpp"
#include "open_loop.hpp"
#include "report.hpp"
#include "stats_loops.hpp"

namespace vireo::bench {
namespace {

constexpr std::chrono::seconds quiet_time{2};
constexpr int stats_loops = 8;

Result<void> check(bool ok, const char* what) {
  if (!ok) return last_error(what);
  return {};
}

// What the other clients ask. Each has the connection and the guests' handles of its own client.
struct Asker {
  Connection connection;
  std::vector<Guest> guests;
  CrowdPlan plan;
};

Result<void> list(Asker& a, int) {
  virDomainPtr* all = nullptr;
  const int count = virConnectListAllDomains(a.connection.get(), &all, 0);
  for (int i = 0; i < count; ++i) virDomainFree(all[i]);
  std::free(all);
  return check(count >= a.plan.guests, "list");
}

Result<void> lookup(Asker& a, int k) {
  const Guest g(virDomainLookupByName(a.connection.get(), crowd_name(k % a.plan.guests).c_str()));
  return check(g != nullptr, "lookup by name");
}

Result<void> state(Asker& a, int k) {
  int now = 0;
  const auto& guest = a.guests[static_cast<std::size_t>(k) % a.guests.size()];
  return check(virDomainGetState(guest.get(), &now, nullptr, 0) == 0, "state");
}

// The states of all guests in one question.
Result<void> state_statistics(Asker& a, int) {
  virDomainStatsRecordPtr* records = nullptr;
  const int count = virConnectGetAllDomainStats(a.connection.get(), VIR_DOMAIN_STATS_STATE, &records, 0);
  if (count >= 0) virDomainStatsRecordListFree(records);
  return check(count >= a.plan.guests, "state statistics");
}

Result<void> define_and_undefine(Asker& a, int) {
  const Guest g(virDomainDefineXML(a.connection.get(), crowd_xml(a.plan, a.plan.guests).c_str()));
  if (!g) return last_error("define");
  return check(virDomainUndefine(g.get()) == 0, "undefine");
}

struct Question {
  const char* name;
  double rate;  // a second
  Result<void> (*ask)(Asker&, int);
};

// What came of storms of one kind.
struct Stormy {
  std::vector<Series> answers;  // by question
  Series totals;
};

struct Contender {
  std::string name, uri;
  std::unique_ptr<Crowd> crowd;
  std::vector<Series> quiet;  // by question
  Stormy alone, watched;      // without monitoring scripts, and with them
  LoopsSaid scripts;
};

Result<Asker> make_asker(const std::string& uri, const CrowdPlan& plan) {
  Asker asker{.connection = Connection(virConnectOpen(uri.c_str())), .guests = {}, .plan = plan};
  if (!asker.connection) return last_error(fmt::format("cannot connect to {}", uri));
  for (int n = 0; n < plan.guests; ++n) {
    asker.guests.emplace_back(virDomainLookupByName(asker.connection.get(), crowd_name(n).c_str()));
    if (!asker.guests.back()) return last_error(fmt::format("cannot find {}", crowd_name(n)));
  }
  return asker;
}

// Asks everything for as long as `meanwhile` takes.
Result<void> ask_while(Contender& one, const std::vector<Question>& questions, std::vector<Series>& into,
                       const std::function<Result<void>()>& meanwhile) {
  std::vector<Asker> askers;
  for (const auto& question : questions) {
    auto asker = make_asker(one.uri, one.crowd->plan());
    if (!asker) return pass_on(asker);
    if (auto once = question.ask(*asker, 0); !once) return once;  // the first is not measured: it may fill caches
    askers.push_back(std::move(*asker));
  }
  std::vector<std::unique_ptr<OpenLoop>> loops;
  loops.reserve(questions.size());
  for (std::size_t q = 0; q < questions.size(); ++q)
    loops.push_back(std::make_unique<OpenLoop>(
        questions[q].rate, [ask = questions[q].ask, &asker = askers[q]](int k) { return ask(asker, k); }));
  auto done = meanwhile();
  for (std::size_t q = 0; q < questions.size(); ++q) {
    auto latencies = loops[q]->finish();
    if (!latencies) return pass_on(latencies);
    into[q].add_all(*latencies);
  }
  return done;
}

Result<void> storm_once(Contender& one, const std::vector<Question>& questions, int clients, Stormy& into) {
  if (auto ready = one.crowd->prepare(clients); !ready) return ready;
  auto stormed = ask_while(one, questions, into.answers, [&]() -> Result<void> {
    auto storm = start_crowd(*one.crowd, clients);
    if (!storm) return pass_on(storm);
    into.totals.add(storm->total);
    return {};
  });
  const auto stopped = one.crowd->stop_all();
  return stormed ? stopped : stormed;
}

Result<void> watched_storm(Contender& one, const std::vector<Question>& questions, int clients,
                           const std::string& program) {
  auto loops = StatsLoops::start(program, one.uri, stats_loops);
  if (!loops) return pass_on(loops);
  if (auto stormed = storm_once(one, questions, clients, one.watched); !stormed) return stormed;
  auto said = loops->finish();
  if (!said) return pass_on(said);
  one.scripts.waited.add_all(said->waited);
  one.scripts.refused += said->refused;
  return {};
}

void print(const std::vector<Contender>& all, const std::vector<Question>& questions, const CrowdPlan& plan,
           int clients) {
  fmt::print("\n{} guests started by {} clients ({})\n", plan.guests, clients, machine_line());
  for (const auto& one : all)
    fmt::print("  {:<10}{:>12} for all starts, median of {}\n", one.name, duration_text(one.alone.totals.median_us()),
               one.alone.totals.size());
  fmt::print("\n{:<20}{:>6}  {:<10}{:>12}{:>12}{:>9}{:>12}{:>12}", "from when it was due", "1/s", "", "quiet p50",
             "p99", "samples", "storm p50", "p99");
  for (const auto& other : all) fmt::print("{:>14}", "p99/" + other.name);
  fmt::print("\n");
  for (std::size_t q = 0; q < questions.size(); ++q)
    for (const auto& one : all) {
      const auto& stormy = one.alone.answers[q];
      const auto p99 = stormy.quantile_us(0.99);
      const bool first = &one == &all.front();
      fmt::print("{:<20}{:>6}  {:<10}{:>12}{:>12}{:>9}{:>12}{:>12}", first ? questions[q].name : "",
                 first ? fmt::format("{}", questions[q].rate) : "", one.name, duration_text(one.quiet[q].median_us()),
                 duration_text(one.quiet[q].quantile_us(0.99)), stormy.size(), duration_text(stormy.median_us()),
                 duration_text(p99));
      for (const auto& other : all) fmt::print("{:>14}", ratio_text(p99, other.alone.answers[q].quantile_us(0.99)));
      fmt::print("\n");
    }
}

void print_watched(const std::vector<Contender>& all, const std::vector<Question>& questions) {
  fmt::print(
      "\nwith {} scripts that ask for all statistics 10 times a second ({})\n{:<10}{:>16}{:>16}{:>9}{:>16}{:>12}{:>9}",
      stats_loops, machine_line(), "", "starts without", "with", "ratio", "scripts: p50", "p99", "refused");
  for (const auto& question : questions) fmt::print("{:>30}", fmt::format("{}: p99, ratio", question.name));
  fmt::print("\n");
  for (const auto& one : all) {
    fmt::print("{:<10}{:>16}{:>16}{:>9}{:>16}{:>12}{:>9}", one.name, duration_text(one.alone.totals.median_us()),
               duration_text(one.watched.totals.median_us()),
               ratio_text(one.watched.totals.median_us(), one.alone.totals.median_us()),
               duration_text(one.scripts.waited.median_us()), duration_text(one.scripts.waited.quantile_us(0.99)),
               one.scripts.refused);
    for (std::size_t q = 0; q < questions.size(); ++q) {
      const auto p99 = one.watched.answers[q].quantile_us(0.99);
      fmt::print("{:>22}{:>8}", duration_text(p99), ratio_text(p99, one.alone.answers[q].quantile_us(0.99)));
    }
    fmt::print("\n");
  }
}

Result<void> run(const Arguments& arguments, const CrowdPlan& plan, int clients, int rounds) {
  std::vector<Contender> all;
  for (const auto& [name, uri] : arguments.servers) {
    Contender one{.name = name, .uri = uri, .crowd = {}, .quiet = {}, .alone = {}, .watched = {}, .scripts = {}};
    if (name == "null") {
      auto command_line = command_line_at(arguments.servers.front().second, plan);
      if (!command_line) return pass_on(command_line);
      one.crowd = std::make_unique<BareCrowd>(std::move(*command_line), plan);
    } else {
      one.crowd = std::make_unique<ServerCrowd>(uri, plan);
    }
    all.push_back(std::move(one));
  }
  // Backwards: what the replaying server replays are answers of the one after it.
  bool bulk = true;
  for (auto one = all.rbegin(); one != all.rend(); ++one) {
    if (auto ready = one->crowd->prepare(clients); !ready) return ready;
    auto asker = make_asker(one->uri, plan);
    if (!asker) return pass_on(asker);
    bulk = bulk && state_statistics(*asker, 0);
  }
  std::vector<Question> questions = {
      {.name = "list", .rate = 50, .ask = list},
      {.name = "lookup by name", .rate = 100, .ask = lookup},
      {.name = "state of a guest", .rate = 100, .ask = state},
      {.name = "define + undefine", .rate = 10, .ask = define_and_undefine},
  };
  if (bulk)
    questions[2] = {.name = "states of all", .rate = 20, .ask = state_statistics};
  else
    fmt::print("state statistics in bulk are not answered by all: the state of one guest after another is asked\n");

  for (auto& one : all) {
    one.alone.answers.resize(questions.size());
    one.watched.answers.resize(questions.size());
    one.quiet.resize(questions.size());
    auto done = ask_while(one, questions, one.quiet, []() -> Result<void> {
      std::this_thread::sleep_for(quiet_time);
      return {};
    });
    if (!done) return fail(done.error().code, fmt::format("{}: {}", one.name, done.error().detail));
  }
  const auto program = arguments.text("stats-loop", "");
  for (int round = 0; round < rounds; ++round)
    for (std::size_t turn = 0; turn < all.size(); ++turn) {
      auto& one = all[(turn + static_cast<std::size_t>(round)) % all.size()];
      auto done = storm_once(one, questions, clients, one.alone);
      if (done && !program.empty()) done = watched_storm(one, questions, clients, program);
      if (!done) return fail(done.error().code, fmt::format("{}: {}", one.name, done.error().detail));
    }
  print(all, questions, plan, clients);
  if (!program.empty()) print_watched(all, questions);
  return {};
}

}  // namespace
}  // namespace vireo::bench

int main(int argc, char** argv) {
  using namespace vireo::bench;
  const auto arguments = Arguments::parse(argc, argv, {"guests", "clients", "rounds", "stats-loop"});
  std::vector<int> numbers;
  if (arguments && !arguments->servers.empty())
    for (const auto& [name, otherwise] : {std::pair("guests", "40"), {"clients", "8"}, {"rounds", "5"}})
      if (const auto got = arguments->numbers(name, otherwise); got.size() == 1) numbers.push_back(got.front());
  if (numbers.size() != 3) {
    fmt::print(stderr,
               "usage: bench_storm [--guests N] [--clients N] [--rounds N] [--stats-loop PROGRAM] NAME=URI …\n");
    return 2;
  }
  virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const auto done = run(*arguments, {.guests = numbers[0]}, numbers[1], numbers[2]);
  if (!done) fmt::print(stderr, "bench_storm: {}\n", done.error().message());
  return done ? 0 : 1;
}
