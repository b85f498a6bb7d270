// The figures of one guest: what is told when its monitor or a file system hangs, and what may be changed of how it
// reports, on the simulated hypervisor.
#include <latch>

#include "core/stats/fresh.hpp"
#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

using std::chrono::milliseconds;

// Images of which those in /hung/ are read only once the file system is let go.
struct SizesOfImages : ::testing::Test {
  SizesOfImages() {
    sim.facts.sizes = [this](const std::string& file) -> Result<model::ImageSizes> {
      ++looks;
      if (file.starts_with("/hung/")) file_system.wait();
      return model::ImageSizes{.capacity_bytes = file.size()};
    };
  }
  ~SizesOfImages() override { answer(); }

  void answer() {
    if (!file_system.try_wait()) file_system.count_down();
  }
  std::future<Result<model::ImageSizes>> ask(std::string file, milliseconds patience) {
    return sim.begin(sim.host.sizes_at_rest.of(std::move(file), model::ImageFormat::raw, Deadline::in(patience)));
  }

  std::latch file_system{1};
  std::atomic<int> looks{0};
  SimHost sim;
};

TEST_F(SizesOfImages, AFileSystemThatHangsKeepsOnlyItsOwnImages) {
  // Workers that have not begun to look yet do so later: a look that is under way is not given up.
  std::vector<std::future<Result<model::ImageSizes>>> hung;
  for (int round = 0; round < 100 && looks < 2; ++round) {
    for (const auto* file : {"/hung/a", "/hung/b", "/hung/c", "/hung/d"}) hung.push_back(ask(file, milliseconds(100)));
    for (auto& each : std::exchange(hung, {})) EXPECT_EQ(each.get().error().code, VIR_ERR_OPERATION_TIMEOUT);
  }
  const auto late = ask("/hung/a", milliseconds(1)).get();
  EXPECT_NE(late.error().detail.find("'/hung/a'"), std::string::npos) << late.error().detail;
  EXPECT_EQ(looks, 2) << "a folder has two workers at most";
  EXPECT_EQ(ask("/well/image", milliseconds(20'000)).get()->capacity_bytes, 11u);
  answer();
  EXPECT_TRUE(ask("/hung/a", milliseconds(20'000)).get());
}

TEST_F(SizesOfImages, WhoeverAsksForTheSameImageSharesTheAnswer) {
  auto first = ask("/hung/a", milliseconds(20'000));
  auto second = ask("/hung/b", milliseconds(20'000));
  while (looks < 2) std::this_thread::yield();
  std::vector<std::future<Result<model::ImageSizes>>> more;
  more.reserve(10);
  for (int i = 0; i < 10; ++i) more.push_back(ask("/hung/a", milliseconds(20'000)));
  sim.settle();
  answer();
  for (auto& each : more) EXPECT_TRUE(each.get());
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  EXPECT_EQ(looks, 3) << "one more look, which began after all ten had asked";
}

model::DomainDef with_balloon(unsigned period_s) {
  auto def = definition("web");
  def.devices.memballoon = model::MemBalloon{.stats_period_s = period_s > 0 ? std::optional(period_s) : std::nullopt};
  return def;
}

TEST(FreshFigures, AMonitorThatHangsIsAnErrorThatSaysSo) {
  SimHost sim;
  const auto web = with_balloon(1);
  ASSERT_TRUE(sim.run(core::define(sim.host, web)));
  EXPECT_EQ(sim.run(core::fresh_sample(sim.host, sim.see(ref_of(web)), VIR_DOMAIN_STATS_BALLOON)).error().detail,
            "domain is not running");
  ASSERT_TRUE(sim.run(core::start(sim.host, ref_of(web), {})));
  const auto deadline = std::exchange(sim.host.settings.stats_deadline, std::chrono::seconds(20));
  ASSERT_TRUE(sim.run(core::fresh_sample(sim.host, sim.see(ref_of(web)), VIR_DOMAIN_STATS_BALLOON)));
  sim.host.settings.stats_deadline = deadline;
  sim.script->commands_hang = true;
  const auto hung = sim.run(core::fresh_sample(sim.host, sim.see(ref_of(web)), VIR_DOMAIN_STATS_BALLOON));
  ASSERT_FALSE(hung);
  EXPECT_EQ(hung.error().code, VIR_ERR_OPERATION_TIMEOUT);
  EXPECT_TRUE(hung.error().detail.contains("monitor of guest 'web' has not answered for ")) << hung.error().detail;
  EXPECT_TRUE(hung.error().detail.contains(" s; 'virsh domstats web'")) << hung.error().detail;
  EXPECT_TRUE(sim.run(core::fresh_host_figures(sim.host, sim.see(ref_of(web)))));
}

TEST(StatsPeriod, IsChangedWhereTheFlagsSay) {
  SimHost sim;
  const auto web = with_balloon(0);
  const auto live = [&] { return sim.see(ref_of(web))->live->devices.memballoon->stats_period_s.value_or(0); };
  const auto kept = [&] { return sim.see(ref_of(web))->persistent->devices.memballoon->stats_period_s.value_or(0); };
  const auto set = [&](unsigned seconds, unsigned flags) {
    return sim.run(core::set_stats_period(sim.host, ref_of(web), seconds, flags));
  };
  ASSERT_TRUE(sim.run(core::define(sim.host, web)));
  EXPECT_EQ(set(1, VIR_DOMAIN_AFFECT_LIVE).error().detail, "domain is not running");
  ASSERT_TRUE(set(2, VIR_DOMAIN_AFFECT_CURRENT));
  EXPECT_EQ(kept(), 2u);
  ASSERT_TRUE(sim.run(core::start(sim.host, ref_of(web), {})));
  ASSERT_TRUE(set(3, VIR_DOMAIN_AFFECT_CURRENT));
  EXPECT_EQ(live(), 3u);
  EXPECT_EQ(kept(), 2u);
  sim.script->fate = [](sim::Step step) { return sim::Fate{.fails = step == sim::Step::Command}; };
  EXPECT_EQ(set(4, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG).error().code, VIR_ERR_OPERATION_TIMEOUT);
  EXPECT_EQ(live(), 3u) << "QEMU did not take it";
  EXPECT_EQ(kept(), 2u);
}

TEST(StatsPeriod, NeedsABalloon) {
  SimHost sim;
  const auto bare = definition("bare");
  ASSERT_TRUE(sim.run(core::define(sim.host, bare)));
  const auto refused = sim.run(core::set_stats_period(sim.host, ref_of(bare), 1, 0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, VIR_ERR_INTERNAL_ERROR);
}

TEST(DirtyRate, IsMeasuredOfGuestsThatRun) {
  SimHost sim;
  const auto web = definition("web");
  ASSERT_TRUE(sim.run(core::define(sim.host, web)));
  const auto start = [&](core::DirtyRateMode mode) {
    return sim.run(core::start_dirty_rate(sim.host, ref_of(web), 1, mode));
  };
  EXPECT_EQ(start(core::DirtyRateMode::sampling).error().code, VIR_ERR_OPERATION_INVALID);
  ASSERT_TRUE(sim.run(core::start(sim.host, ref_of(web), {})));
  EXPECT_EQ(start(core::DirtyRateMode::ring).error().code, VIR_ERR_OPERATION_UNSUPPORTED);
  EXPECT_EQ(start(core::DirtyRateMode::bitmap).error().code, VIR_ERR_OPERATION_UNSUPPORTED) << "it would end QEMU";
  ASSERT_TRUE(start(core::DirtyRateMode::sampling));
  const auto sample = sim.see(ref_of(web))->pulse->sample.get();
  ASSERT_TRUE(sample && sample->dirty_rate);
  EXPECT_EQ(sample->dirty_rate->status, model::DirtyRate::Status::measuring);
}

}  // namespace
}  // namespace vireo::tests
