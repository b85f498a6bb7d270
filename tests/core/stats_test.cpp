// Asking guests for their figures: who is asked what and when, whose answer counts for whom, and what a guest that does
// not answer costs the others. The guests are simulated; what figures look like is tested in
// tests/golden/stats_test.cpp.
#include <map>

#include "core/stats/asker.hpp"
#include "core/stats/refresh.hpp"
#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

using namespace std::chrono_literals;
using core::Gathering;

constexpr unsigned kBlock = VIR_DOMAIN_STATS_BLOCK;
constexpr auto kLong = 20s;  // nothing here takes so long unless it hangs

model::DomainDef with_drive(const std::string& name, const std::string& file = {}) {
  auto def = definition(name);
  model::Disk disk;
  disk.kind = model::DiskKind::cdrom;
  disk.readonly = true;
  disk.file = file;
  disk.target = "sda";
  disk.info.alias = "sata0-0-0";
  def.devices.disks.push_back(disk);
  return def;
}

class Stats : public ::testing::Test {
 protected:
  Stats() {
    sim.on_core(
        [this] { sim.script->asked = [this](const auto& def, const auto& question) { heard(def, question); }; });
  }
  ~Stats() override {
    // Who still hangs would be waited for.
    sim.on_core([this] { sim.script->stopped.clear(); });
  }

  model::DomainDef start(const std::string& name) {
    auto def = with_drive(name);
    auto begun = sim.run(core::create(sim.host, def, {}));
    EXPECT_TRUE(begun) << begun.error().message();
    return def;
  }
  void stop(const std::string& name) {
    sim.on_core([this, name] { sim.script->stopped.insert(name); });
  }
  void go_on(const std::string& name) {
    sim.on_core([this, name] { sim.script->stopped.erase(name); });
  }

  std::future<std::vector<core::SizesOfDisks>> ask(std::vector<model::DomainDef> defs,
                                                   std::chrono::milliseconds patience) {
    std::vector<model::DomainViewPtr> views;
    views.reserve(defs.size());
    for (const auto& def : defs) views.push_back(sim.see(ref_of(def)));
    return sim.begin(core::refresh(sim.host, std::move(views), kBlock, Deadline::in(patience)));
  }
  model::GuestSamplePtr sample(const model::DomainDef& def) {
    const auto view = sim.see(ref_of(def));
    return view ? view->pulse->sample.get() : nullptr;
  }
  std::vector<core::Param> record(const model::DomainDef& def, SteadyClock::time_point fresh_since) {
    const auto view = sim.see(ref_of(def));
    const auto last = view->pulse->sample.get();
    return core::record_of(*view, last.get(),
                           {.groups = kBlock, .fresh_since = fresh_since, .now = SteadyClock::now()});
  }
  static bool is_stale(const std::vector<core::Param>& record) {
    EXPECT_EQ(record.back().name, "vireo.stale");
    return std::get<bool>(record.back().value);
  }
  static std::uint64_t age_ms(const std::vector<core::Param>& record) {
    EXPECT_EQ(record.at(record.size() - 2).name, "vireo.age_ms");
    return std::get<std::uint64_t>(record.at(record.size() - 2).value);
  }
  int questions(const std::string& name) {
    return sim.on_core([&] { return questions_[name]; });
  }
  core::Asker& asker(const model::DomainDef& def) { return *sim.host.registry.find(def.uuid)->run->asker; }

  // What the core thread writes down stands before the host: it must outlive that thread.
  std::function<void()> at_question_;
  std::map<std::string, int> questions_;  // by guest
  std::map<std::string, int> turns_;      // the sampler's, by guest
  std::vector<std::pair<std::string, SteadyClock::time_point>> when_;
  SimHost sim;

 private:
  void heard(const model::DomainDef& def, const ports::MonitorQuestion&) {
    ++questions_[def.name];
    when_.emplace_back(def.name, SteadyClock::now());
    if (at_question_) at_question_();
  }
};

TEST_F(Stats, ManyCallersShareTheNextQuestionAndNobodyGetsWhatIsOlderThanHisCall) {
  const auto web = start("web");
  stop("web");
  auto first = ask({web}, kLong);
  ASSERT_TRUE(wait_until([&] { return questions("web") == 1; }));
  std::vector<std::future<std::vector<core::SizesOfDisks>>> callers;
  callers.reserve(20);
  for (int i = 0; i < 20; ++i) callers.push_back(ask({web}, kLong));
  sim.on_core([] {});  // all have begun
  const auto all_called = SteadyClock::now();
  go_on("web");
  first.get();
  for (auto& caller : callers) caller.get();
  EXPECT_EQ(questions("web"), 2);
  EXPECT_GE(sample(web)->block.at, all_called);
}

// An answer tells how the guest was at some time after the question: only the question's time is sure.
TEST_F(Stats, AnAnswerIsAsOldAsItsQuestion) {
  const auto web = start("web");
  stop("web");
  auto caller = ask({web}, kLong);
  ASSERT_TRUE(wait_until([&] { return questions("web") == 1; }));
  std::this_thread::sleep_for(50ms);
  const auto called = SteadyClock::now();
  go_on("web");
  caller.get();
  EXPECT_LT(sample(web)->block.at, called);
  EXPECT_TRUE(is_stale(record(web, called)));
  EXPECT_GE(age_ms(record(web, called)), 50U);
  EXPECT_GE(*sample(web)->monitor.round_trip, 50ms);
}

TEST_F(Stats, AGuestThatHangsCostsOnlyItself) {
  std::vector<model::DomainDef> all;
  for (const char* name : {"a", "b", "hangs", "c"}) all.push_back(start(name));
  stop("hangs");
  auto called = SteadyClock::now();
  // Longer, if others than the one that hangs had no time to answer.
  for (auto patience = 300ms; patience < kLong; patience *= 3) {
    called = SteadyClock::now();
    ask(all, patience).get();
    EXPECT_GE(SteadyClock::now() - called, patience);
    if (std::ranges::count_if(all, [&](const auto& def) { return is_stale(record(def, called)); }) == 1) break;
  }
  for (const auto& def : all) {
    const auto figures = record(def, called);
    const bool hangs = def.name == "hangs";
    EXPECT_EQ(is_stale(figures), hangs) << def.name;
    // What was never sampled is left out as a group.
    EXPECT_EQ(figures.front().name == "block.count", !hangs) << def.name;
  }
  const auto health = sample(all[2])->monitor;
  EXPECT_TRUE(health.waiting_since);
  EXPECT_FALSE(health.answered_at);
  EXPECT_EQ(health.failures, 0U);  // it may still answer

  // Its late answer counts, without another question.
  go_on("hangs");
  EXPECT_TRUE(wait_until([&] { return static_cast<bool>(sample(all[2])->block); }));
  EXPECT_EQ(questions("hangs"), 1);
  EXPECT_FALSE(sample(all[2])->monitor.waiting_since);
  EXPECT_EQ(record(all[2], called).front().name, "block.count");
}

TEST_F(Stats, AMonitorThatHangsHoldsOneQuestionAndNoneOfThoseWhoGaveUp) {
  const auto web = start("web");
  stop("web");
  for (int i = 0; i < 10; ++i) ask({web}, 5ms).get();
  EXPECT_EQ(questions("web"), 1);
  std::weak_ptr<Gathering> gone;
  sim.on_core([&] {
    const auto caller = std::make_shared<Gathering>(sim.host.core);
    asker(web).ask({.block = true}, caller);
    EXPECT_EQ(caller->missing, 1U);
    gone = caller;
  });
  EXPECT_TRUE(gone.expired());
  go_on("web");
  EXPECT_TRUE(wait_until([&] { return questions("web") == 2; }));
}

TEST_F(Stats, ALifeThatEndsAnswersItsCallersAndLeavesNothingToTheNext) {
  const auto web = with_drive("web");
  ASSERT_TRUE(sim.run(core::define(sim.host, web)));
  ASSERT_TRUE(sim.run(core::start(sim.host, ref_of(web), {})));
  const int first = sim.see(ref_of(web))->id;
  ask({web}, kLong).get();
  EXPECT_EQ(sample(web)->id, first);
  stop("web");
  auto under_way = ask({web}, std::chrono::hours(1));
  ASSERT_TRUE(wait_until([&] { return questions("web") == 2; }));
  auto next = ask({web}, std::chrono::hours(1));
  ASSERT_TRUE(sim.run(core::destroy(sim.host, ref_of(web), false)));
  ASSERT_EQ(under_way.wait_for(kLong), std::future_status::ready);
  ASSERT_EQ(next.wait_for(kLong), std::future_status::ready);
  sim.settle();
  EXPECT_FALSE(sample(web));

  ASSERT_TRUE(sim.run(core::start(sim.host, ref_of(web), {})));
  EXPECT_NE(sim.see(ref_of(web))->id, first);
  EXPECT_EQ(sample(web)->id, sim.see(ref_of(web))->id);
  EXPECT_FALSE(sample(web)->block);
  EXPECT_EQ(sample(web)->monitor.answers, 0U);
  ask({web}, 20ms).get();
  EXPECT_FALSE(sample(web)->block);
  EXPECT_TRUE(is_stale(record(web, SteadyClock::now())));
}

// Of a view that was pinned before the guest ended, too.
TEST_F(Stats, ARecordShowsFiguresOfItsOwnLifeOnly) {
  const auto web = with_drive("web");
  ASSERT_TRUE(sim.run(core::define(sim.host, web)));
  ASSERT_TRUE(sim.run(core::start(sim.host, ref_of(web), {})));
  const auto earlier = sim.see(ref_of(web));
  ASSERT_TRUE(sim.run(core::destroy(sim.host, ref_of(web), false)));
  ASSERT_TRUE(sim.run(core::start(sim.host, ref_of(web), {})));
  ask({web}, kLong).get();
  ASSERT_TRUE(sample(web)->block);
  const auto last = sample(web);
  const auto figures = core::record_of(*earlier, last.get(), {.groups = kBlock, .now = SteadyClock::now()});
  EXPECT_EQ(figures.size(), 2U);
  EXPECT_TRUE(is_stale(figures));
}

TEST_F(Stats, AGuestThatRefusesIsLeftAloneForAWhileByTheSamplerOnly) {
  const auto web = start("web");
  sim.on_core([this] { sim.script->refusing.insert("web"); });
  ask({web}, kLong).get();
  EXPECT_EQ(sample(web)->monitor.failures, 1U);
  EXPECT_TRUE(sim.on_core([&] { return asker(web).is_late(); }));
  // A client that asks is another matter.
  sim.on_core([this] { sim.script->refusing.clear(); });
  const auto called = SteadyClock::now();
  ask({web}, kLong).get();
  EXPECT_FALSE(is_stale(record(web, called)));
  EXPECT_FALSE(sim.on_core([&] { return asker(web).is_late(); }));
}

TEST_F(Stats, AMonitorThatIsNotReachedIsAskedAgainAtItsNextTurn) {
  const auto web = start("web");
  sim.on_core([this] { sim.script->fate = [](sim::Step) { return sim::Fate{.fails = true}; }; });
  ask({web}, kLong).get();
  EXPECT_EQ(sample(web)->monitor.failures, 1U);
  EXPECT_EQ(sample(web)->monitor.answers, 0U);
  bool late = true;
  sim.on_core([&] {
    late = asker(web).is_late();
    sim.script->fate = nullptr;
  });
  EXPECT_FALSE(late);
}

TEST_F(Stats, WhatThrowsIsNotTheLastQuestion) {
  const auto web = start("web");
  sim.on_core([this] { at_question_ = [] { throw std::bad_alloc(); }; });
  ASSERT_EQ(ask({web}, std::chrono::hours(1)).wait_for(kLong), std::future_status::ready);
  EXPECT_EQ(sample(web)->monitor.failures, 1U);
  sim.on_core([this] { at_question_ = nullptr; });
  const auto called = SteadyClock::now();
  ask({web}, kLong).get();
  EXPECT_FALSE(is_stale(record(web, called)));
}

TEST_F(Stats, AMeasurementThatComesAfterAYoungerOneIsDropped) {
  const auto web = start("web");
  const auto now = SteadyClock::now();
  sim.on_core([&] {
    asker(web).take(model::HostFigures{.cpu_ns = 7}, now + 1s, ports::Look::close);
    asker(web).take(model::HostFigures{.cpu_ns = 5}, now, ports::Look::close);
  });
  EXPECT_EQ(sample(web)->host->cpu_ns, 7U);
}

// Files are read by workers, and one file system that hangs keeps back nobody else's sizes.
TEST_F(Stats, ShutOffGuestsHaveTheSizesOfTheirFiles) {
  std::promise<void> goes_on;
  std::vector<model::DomainDef> all;
  all.reserve(102);
  for (int i = 0; i < 100; ++i) all.push_back(with_drive("off" + std::to_string(i), "/good/" + std::to_string(i % 7)));
  all.push_back(with_drive("hung", "/hung/image"));
  all.push_back(with_drive("missing", "/missing"));
  sim.on_core([&, answer = goes_on.get_future().share()] {
    sim.facts.sizes = [answer](const std::string& file) -> Result<model::ImageSizes> {
      if (file.starts_with("/hung/")) answer.wait();
      if (file == "/missing") return fail(VIR_ERR_SYSTEM_ERROR, "no such file");
      return model::ImageSizes{.capacity_bytes = 4096, .allocation_bytes = 0, .physical_bytes = 512};
    };
  });
  for (const auto& def : all) ASSERT_TRUE(sim.run(core::define(sim.host, def)));
  // Longer, if the others had no time to be read.
  auto sizes = ask(all, 1500ms).get();
  const auto is_known = [](const core::SizesOfDisks& of) { return !of.empty() && of[0]; };
  for (auto patience = 5s; patience < 60s && std::ranges::count_if(sizes, is_known) < 100; patience *= 3)
    sizes = ask(all, patience).get();
  ASSERT_EQ(sizes.size(), all.size());
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(sizes[i].size(), 1U) << i;
    ASSERT_TRUE(sizes[i][0]) << i;
    EXPECT_EQ(sizes[i][0]->capacity_bytes, 4096U);
  }
  EXPECT_TRUE(sizes[100].empty() || !sizes[100][0]);
  ASSERT_EQ(sizes[101].size(), 1U);
  EXPECT_FALSE(sizes[101][0]);

  const auto record = core::record_of(*sim.see(ref_of(all[0])), nullptr, {.groups = kBlock}, sizes[0]);
  std::vector<std::string> names;
  names.reserve(record.size());
  for (const auto& param : record) names.push_back(param.name);
  // What is zero is left out, as libvirt does.
  EXPECT_EQ(names, (std::vector<std::string>{"block.count", "block.0.name", "block.0.path", "block.0.capacity",
                                             "block.0.physical", "vireo.age_ms", "vireo.stale"}));
  goes_on.set_value();
}

class Sampling : public Stats {
 protected:
  Sampling() {
    sim.host.sampler.set_period(400ms);
    for (int i = 0; i < 40; ++i) all.push_back(start("guest" + std::to_string(i)));
    sim.on_core([this] { sim.host.sampler.start([this](const core::DomainPtr& domain) { ++turns_[domain->name]; }); });
  }
  int turns_of(const std::string& name) {
    return sim.on_core([&] { return turns_[name]; });
  }
  std::vector<model::DomainDef> all;
};

TEST_F(Sampling, NobodyIsAskedUntilSomebodyWantsToKnow) {
  std::this_thread::sleep_for(900ms);
  for (const auto& def : all) EXPECT_EQ(questions(def.name), 0);
  sim.host.sampler.want();
  EXPECT_TRUE(wait_until([&] { return questions("guest39") > 0; }));
}

TEST_F(Sampling, GuestsAreSpreadOverThePeriod) {
  sim.host.sampler.want();
  std::vector<std::pair<std::string, SteadyClock::time_point>> when;
  const auto asked_so_often = [&](std::size_t times) {
    return wait_until([&] {
      when = sim.on_core([this] { return when_; });
      return when.size() >= times;
    });
  };
  ASSERT_TRUE(asked_so_often(40));
  // The first forty questions are one to each guest, and take most of a period.
  std::map<std::string, int> asked;
  for (std::size_t i = 0; i < 40; ++i) ++asked[when[i].first];
  EXPECT_EQ(asked.size(), 40U);
  // But where the core was kept from its processor and catches up: then the next ones do.
  bool spread = false;
  for (std::size_t first = 0; first < 400 && !spread; first += 40) {
    ASSERT_TRUE(asked_so_often(first + 40));
    spread = when[first + 39].second - when[first].second >= 300ms;
  }
  EXPECT_TRUE(spread);
}

TEST_F(Sampling, WhoIsLateIsAskedNothingElseAndComesBackByItself) {
  stop("guest7");
  sim.host.sampler.want();
  ASSERT_TRUE(wait_until([&] { return questions("guest7") == 1; }));
  ASSERT_TRUE(wait_until([&] { return questions("guest8") >= 4; }));
  EXPECT_EQ(questions("guest7"), 1);
  EXPECT_GE(turns_of("guest7"), 2);  // its turns are told of all the same
  go_on("guest7");
  EXPECT_TRUE(wait_until([&] { return questions("guest7") >= 3; }));
  EXPECT_TRUE(wait_until([&] { return static_cast<bool>(sample(all[7])->block); }));
}

}  // namespace
}  // namespace vireo::tests
