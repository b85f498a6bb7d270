// Batches on the simulated hypervisor: a result for each guest, all or nothing, guests that hang, callers that go away
// while starts wait, and the order of autostart.
#include "core/verbs/start_many.hpp"

#include <map>

#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

using namespace std::chrono_literals;
using core::BatchResult;
using Outcome = BatchResult::Outcome;

std::map<std::string, Outcome> outcomes(const Result<std::vector<BatchResult>>& results) {
  std::map<std::string, Outcome> by_name;
  for (const auto& result : results.value()) by_name[result.domain.name] = result.outcome;
  return by_name;
}

struct StartMany : ::testing::Test {
  SimHost sim;
  core::Host& host = sim.host;

  std::vector<std::string> defined(const std::string& prefix, int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
      names.push_back(prefix + std::to_string(i));
      refs[names.back()] = ref_of(definition(names.back()));
      EXPECT_TRUE(sim.run(core::define(host, definition(names.back(), refs[names.back()].uuid))));
    }
    return names;
  }
  // As a client that goes away: the call, and what to do when it goes. Both on the core thread.
  std::future<Result<std::vector<BatchResult>>> begin(core::BatchGuests guests, core::BatchOptions options,
                                                      asio::cancellation_signal& client) {
    return asio::co_spawn(host.core, core::start_many(host, std::move(guests), options),
                          asio::bind_cancellation_slot(client.slot(), asio::use_future));
  }
  // As soon as it is so. On the core thread, so that nothing can come between, however late this one would see it.
  void go_away_when(bool (*so)(const core::Host&), asio::cancellation_signal& client) {
    sim.run(watch_and_go(host, so, client));
  }
  static asio::awaitable<void> watch_and_go(core::Host& host, bool (*so)(const core::Host&),
                                            asio::cancellation_signal& client) {
    while (!so(host)) co_await asio::post(asio::use_awaitable);
    client.emit(asio::cancellation_type::terminal);
  }
  static std::size_t running_on(const core::Host& host) { return host.registry.versions().snapshot()->by_id.size(); }
  std::size_t running() {
    return sim.on_core([this] { return running_on(host); });
  }
  // How many launches have got so far that they wait for admission or have been admitted.
  static std::ptrdiff_t launching_on(const core::Host& host) {
    return std::ranges::count_if(host.registry.all(), [](const auto& domain) { return domain->launching != nullptr; });
  }
  std::ptrdiff_t launching() {
    return sim.on_core([this] { return launching_on(host); });
  }
  std::size_t admitted() {
    return sim.on_core([this] { return host.admission.inside(); });
  }

  std::map<std::string, core::DomainRef> refs;
};

TEST_F(StartMany, EachGuestHasAResultInTheOrderOfTheList) {
  const auto web = defined("web-", 3);
  ASSERT_TRUE(sim.run(core::start(host, refs["web-1"], {})));
  const auto done = sim.run(core::start_many(
      host, {.named = {"web-2", "nobody", refs["web-0"].uuid.text(), "web-1", "web-0"}, .pattern = {}}, {}));
  ASSERT_TRUE(done);
  ASSERT_EQ(done->size(), 4U) << "web-0 was named twice";
  EXPECT_EQ((*done)[0].domain.name, "web-2");
  EXPECT_EQ((*done)[0].outcome, Outcome::Started);
  EXPECT_EQ((*done)[0].id, sim.see(refs["web-2"])->id);
  EXPECT_EQ((*done)[1].outcome, Outcome::Failed);
  EXPECT_EQ((*done)[1].error->code, VIR_ERR_NO_DOMAIN);
  EXPECT_EQ((*done)[2].domain.name, "web-0");
  EXPECT_TRUE((*done)[2].good());
  EXPECT_EQ((*done)[3].outcome, Outcome::AlreadyRunning);
  EXPECT_EQ((*done)[3].error->detail, "domain is already running") << "it was named";
  EXPECT_EQ(running(), 3U);
}

TEST_F(StartMany, APatternMeansWhatIsShutOff) {
  defined("web-", 12);
  defined("db-", 2);
  ASSERT_TRUE(sim.run(core::start(host, refs["web-3"], {})));
  auto done = sim.run(core::start_many(host, {.named = {}, .pattern = "web-?"}, {.paused = true}));
  ASSERT_EQ(done->size(), 9U);
  EXPECT_EQ(done->front().domain.name, "web-0");
  EXPECT_EQ(done->back().domain.name, "web-9");
  for (const auto& result : *done) EXPECT_EQ(sim.see(result.domain)->state, VIR_DOMAIN_PAUSED);
  done = sim.run(core::start_many(host, {.named = {}, .pattern = "*"}, {}));
  EXPECT_EQ(done->size(), 4U);
  EXPECT_EQ(running(), 14U);
  EXPECT_TRUE(sim.run(core::start_many(host, {.named = {}, .pattern = "*"}, {}))->empty());
}

TEST_F(StartMany, OneGuestsFailureStopsNoOther) {
  const auto web = defined("web-", 10);
  sim.script->fate = [n = 0](sim::Step step) mutable {
    return sim::Fate{.fails = step == sim::Step::Spawn && ++n == 4};
  };
  const auto done = sim.run(core::start_many(host, {.named = web, .pattern = {}}, {}));
  int failed = 0;
  for (const auto& result : *done) {
    if (result.good()) continue;
    ++failed;
    EXPECT_EQ(result.outcome, Outcome::Failed);
    EXPECT_FALSE(result.error->message().empty());
  }
  EXPECT_EQ(failed, 1);
  EXPECT_EQ(running(), 9U);
}

TEST_F(StartMany, AHungGuestHoldsNoOther) {
  const auto web = defined("web-", 12);
  host.settings.parallel_starts = 2;
  sim.script->fate = [n = 0](sim::Step step) mutable {
    const bool hangs = step == sim::Step::Handshake && ++n == 1;
    return sim::Fate{.delay = hangs ? SteadyClock::duration(1h) : 0ms};
  };
  auto batch = sim.begin(core::start_many(host, {.named = web, .pattern = {}}, {}));
  while (running() < 11) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(batch.wait_for(0s), std::future_status::timeout) << "the batch waits for the one that hangs";
  std::string hung;
  for (const auto& name : web)
    if (!sim.see(refs[name])->active()) hung = name;
  EXPECT_TRUE(sim.run(core::destroy(host, refs[hung], false)));
  const auto done = batch.get();
  for (const auto& result : *done)
    EXPECT_EQ(result.outcome, result.domain.name == hung ? Outcome::Failed : Outcome::Started) << result.domain.name;
}

TEST_F(StartMany, ALimitIsKept) {
  const auto web = defined("web-", 9);
  int most = 0, inside = 0;
  sim.script->fate = [&](sim::Step step) {
    if (step == sim::Step::Spawn) most = std::max(most, ++inside);
    if (step == sim::Step::Command) --inside;  // it is let run
    return sim::Fate{.delay = 50ms};           // long enough for the next one to come meanwhile
  };
  EXPECT_EQ(sim.run(core::start_many(host, {.named = web, .pattern = {}}, {.parallel = 3}))->size(), 9U);
  EXPECT_EQ(running(), 9U);
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 2);
}

TEST_F(StartMany, AllOrNothingEndsWhatItBegan) {
  const auto web = defined("web-", 8);
  ASSERT_TRUE(sim.run(core::start(host, refs["web-7"], {})));
  host.settings.parallel_starts = 3;
  // The first ones run, one fails, one hangs, and some still wait.
  sim.script->fate = [n = 0](sim::Step step) mutable {
    if (step != sim::Step::Handshake) return sim::Fate{};
    ++n;
    return sim::Fate{.delay = n == 3 ? SteadyClock::duration(1h) : 5ms, .fails = n == 4};
  };
  const auto done = sim.run(core::start_many(host, {.named = {}, .pattern = "*"}, {.all_or_nothing = true}));
  ASSERT_EQ(done->size(), 7U);
  std::map<Outcome, int> counts;
  for (const auto& result : *done) ++counts[result.outcome];
  EXPECT_EQ(counts[Outcome::Failed], 1);
  EXPECT_EQ(counts[Outcome::Started], 0);
  EXPECT_GE(counts[Outcome::Undone], 2);
  sim.settle();
  EXPECT_EQ(running(), 1U) << "what ran before is not touched";
  EXPECT_TRUE(sim.see(refs["web-7"])->active());
  EXPECT_EQ(sim.simulated_processes(), 1);
  EXPECT_EQ(admitted(), 0U);
  sim.script->fate = nullptr;
  const auto again = sim.run(core::start_many(host, {.named = {}, .pattern = "*"}, {.all_or_nothing = true}));
  for (const auto& result : *again) EXPECT_EQ(result.outcome, Outcome::Started);
}

TEST_F(StartMany, AllOrNothingBeginsNothingWhereAGuestIsNotThere) {
  defined("web-", 2);
  const auto done =
      sim.run(core::start_many(host, {.named = {"web-0", "web-9", "web-1"}, .pattern = {}}, {.all_or_nothing = true}));
  EXPECT_EQ(outcomes(done),
            (std::map<std::string, Outcome>{
                {"web-0", Outcome::NotBegun}, {"web-1", Outcome::NotBegun}, {"web-9", Outcome::Failed}}));
  sim.settle();
  for (const auto& event : sim.events) EXPECT_EQ(event.event, VIR_DOMAIN_EVENT_DEFINED);
}

TEST_F(StartMany, WhatWaitsIsCancelledWhenTheCallerGoesAndWhatHasBegunRunsOn) {
  const auto web = defined("web-", 6);
  host.settings.parallel_starts = 2;
  sim.script->launch_delay = 200ms;
  asio::cancellation_signal client;
  auto batch = begin({.named = web, .pattern = {}}, {}, client);
  go_away_when([](const core::Host& h) { return launching_on(h) == 6 && h.admission.inside() == 2; }, client);
  const auto done = outcomes(batch.get());
  EXPECT_EQ(std::ranges::count(done, Outcome::Started, &std::pair<const std::string, Outcome>::second), 2);
  EXPECT_EQ(std::ranges::count(done, Outcome::NotBegun, &std::pair<const std::string, Outcome>::second), 4);
  sim.settle();
  EXPECT_EQ(running(), 2U);
  EXPECT_EQ(launching(), 0);
  sim.script->launch_delay = 0ms;
  EXPECT_EQ(sim.run(core::start_many(host, {.named = {}, .pattern = "*"}, {}))->size(), 4U);
  EXPECT_EQ(running(), 6U);
}

TEST_F(StartMany, AnAllOrNothingBatchWhoseCallerGoesWhileSomeWaitIsNothing) {
  const auto web = defined("web-", 5);
  host.settings.parallel_starts = 1;
  sim.script->launch_delay = 50ms;
  asio::cancellation_signal client;
  auto batch = begin({.named = web, .pattern = {}}, {.all_or_nothing = true}, client);
  go_away_when([](const core::Host& h) { return running_on(h) == 1; }, client);
  EXPECT_TRUE(batch.get());
  sim.settle();
  EXPECT_EQ(running(), 0U);
  EXPECT_EQ(sim.simulated_processes(), 0);
}

struct Waiting : StartMany {
  // One launch is admitted and hangs; another, which begins after that, waits for admission.
  void SetUp() override {
    defined("g", 2);
    host.settings.parallel_starts = 1;
    sim.script->fate = [this](sim::Step step) {
      const bool spawns = step == sim::Step::Spawn;
      if (spawns) ++spawned;
      return sim::Fate{.delay = SteadyClock::duration(spawns ? 1h : 0h)};
    };
    hung = sim.begin(core::start(host, refs["g0"], {}));
    while (sim.on_core([this] { return spawned; }) == 0) std::this_thread::sleep_for(1ms);
    sim.on_core([this] {
      waiting = asio::co_spawn(host.core, core::start(host, refs["g1"], {}),
                               asio::bind_cancellation_slot(client.slot(), asio::use_future));
    });
  }
  void TearDown() override {
    EXPECT_EQ(hung.wait_for(0s), std::future_status::timeout) << "the other goes on";
    EXPECT_TRUE(sim.run(core::destroy(host, refs["g0"], false)));
    EXPECT_FALSE(hung.get());
    sim.settle();
  }
  static asio::awaitable<void> watch_and_destroy(Waiting* self) {
    while (!one_waits(self->host)) co_await asio::post(asio::use_awaitable);
    auto destroyed = co_await core::destroy(self->host, self->refs["g1"], false);
    EXPECT_TRUE(destroyed);
  }
  static bool one_waits(const core::Host& host) { return launching_on(host) == 2 && host.admission.inside() == 1; }

  asio::cancellation_signal client;
  int spawned = 0;  // core thread
  std::future<Result<model::DomainViewPtr>> hung, waiting;
};

TEST_F(Waiting, ForAdmissionEndsWhenTheCallerGoes) {
  go_away_when(one_waits, client);
  const auto started = waiting.get();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, VIR_ERR_OPERATION_ABORTED);
  EXPECT_FALSE(sim.see(refs["g1"])->active());
  EXPECT_EQ(sim.on_core([this] { return spawned; }), 1) << "at once, not when it would have been admitted";
}

TEST_F(Waiting, ForAdmissionEndsWhenTheGuestIsDestroyed) {
  sim.run(watch_and_destroy(this));
  const auto started = waiting.get();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message(), "operation failed: domain 'g1' was destroyed while it was being started");
  EXPECT_EQ(sim.on_core([this] { return spawned; }), 1) << "at once, not when it would have been admitted";
}

struct Autostart : StartMany {
  // Marks the guest, whose plan is what the metadata would say.
  void marked(const std::string& name, std::optional<unsigned> order, unsigned delay_s = 0) {
    auto def = definition(name);
    def.autostart_plan = {.order = order, .delay_s = delay_s};
    refs[name] = ref_of(def);
    ASSERT_TRUE(sim.run(core::define(host, def)));
    ASSERT_TRUE(sim.run(core::set_autostart(host, refs[name], true)));
  }
  // The names of those that started, in their order.
  std::vector<std::string> started() {
    sim.settle();
    std::vector<std::string> names;
    for (const auto& event : sim.events)
      if (event.event == VIR_DOMAIN_EVENT_STARTED) names.push_back(event.name);
    return names;
  }
};

TEST_F(Autostart, LowerOrdersComeFirstAndThoseWithoutLast) {
  sim.script->fate = [n = 0](sim::Step) mutable { return sim::Fate{.delay = std::chrono::milliseconds(++n % 3)}; };
  defined("plain", 1);
  for (const char* name : {"x", "y"}) marked(name, std::nullopt);
  for (const char* name : {"b", "c"}) marked(name, 10);
  marked("a", 2);
  sim.run(core::autostart(host));
  auto names = started();
  ASSERT_EQ(names.size(), 5U);
  EXPECT_EQ(names[0], "a");
  EXPECT_EQ(std::set(names.begin() + 1, names.begin() + 3), (std::set<std::string>{"b", "c"}));
  EXPECT_EQ(std::set(names.begin() + 3, names.end()), (std::set<std::string>{"x", "y"}));
  sim.run(core::autostart(host));
  EXPECT_EQ(started().size(), 5U) << "what runs is left alone";
}

TEST_F(Autostart, AFailureStopsNoOtherAndItsDelayIsNotWaitedFor) {
  marked("first", 1, 3600);
  marked("second", 2);
  sim.script->fate = [n = 0](sim::Step step) mutable {
    return sim::Fate{.fails = step == sim::Step::Spawn && ++n == 1};
  };
  sim.run(core::autostart(host));
  EXPECT_EQ(started(), std::vector<std::string>{"second"});
}

TEST_F(Autostart, TheNextOrderWaitsForTheDelay) {
  marked("first", 1, 1);
  marked("second", 2);
  const auto began = SteadyClock::now();
  sim.run(core::autostart(host));
  EXPECT_GE(SteadyClock::now() - began, 1s);
  EXPECT_EQ(started(), (std::vector<std::string>{"first", "second"}));
}

TEST_F(Autostart, AsManyAtOnceAsTheSettingSays) {
  for (int i = 0; i < 6; ++i) marked("g" + std::to_string(i), 1);
  host.settings.autostart_parallel = 2;
  int most = 0, inside = 0;
  sim.script->fate = [&](sim::Step step) {
    if (step == sim::Step::Spawn) most = std::max(most, ++inside);
    if (step == sim::Step::Command) --inside;  // it is let run
    return sim::Fate{.delay = 50ms};           // long enough for the next one to come meanwhile
  };
  sim.run(core::autostart(host));
  EXPECT_EQ(started().size(), 6U);
  EXPECT_EQ(most, 2);
}

}  // namespace
}  // namespace vireo::tests
