// Histories of guests on the simulated host: when one begins, that it goes on over lives, and when it goes.
#include "core/stats/guest_history.hpp"

#include "core/stats/refresh.hpp"
#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

using core::History;

class Histories : public ::testing::Test {
 protected:
  Histories() { set_keep(true); }
  void set_keep(bool keep) {
    sim_.on_core([this, keep] {
      auto next = sim_.host.settings;
      next.keep_history = keep;
      sim_.host.set(std::move(next));
    });
  }
  // What the sampler does in a turn of this guest.
  static asio::awaitable<void> turn(core::Host& host, core::DomainRef ref) {
    co_await core::refresh(host, {host.registry.find(ref.uuid)->view}, core::kAllStats,
                           Deadline::in(std::chrono::seconds(20)));
    core::remember(host, host.registry.find(ref.uuid));
  }
  void sample(const model::DomainDef& def) { sim_.run(turn(sim_.host, ref_of(def))); }
  // The guest's own, as it is now; null: none.
  std::shared_ptr<core::GuestHistory> history_of(const model::DomainDef& def) {
    return sim_.on_core([this, &def] {
      const auto domain = sim_.host.registry.find(def.uuid);
      return domain ? domain->history : nullptr;
    });
  }
  static std::size_t rows(const core::GuestHistory& history) {
    return history.history().read(History::Span::hour, core::history_ms(SteadyClock::now())).size();
  }
  SimHost sim_;
};

TEST_F(Histories, GoOnOverLivesAndGoWithTheirGuest) {
  const auto def = definition("web");
  ASSERT_TRUE(sim_.run(core::define(sim_.host, def)));
  EXPECT_FALSE(history_of(def));
  ASSERT_TRUE(sim_.run(core::start(sim_.host, ref_of(def), {})));
  sample(def);
  const auto first = history_of(def);
  ASSERT_TRUE(first);
  EXPECT_EQ(rows(*first), 1U);
  EXPECT_GE(first->bytes(), sizeof(core::GuestHistory));
  EXPECT_LT(first->bytes(), core::kMostHistoryBytes);

  ASSERT_TRUE(sim_.run(core::destroy(sim_.host, ref_of(def), false)));
  EXPECT_EQ(history_of(def), first);
  ASSERT_TRUE(sim_.run(core::start(sim_.host, ref_of(def), {})));
  sample(def);
  EXPECT_EQ(history_of(def), first);
  ASSERT_TRUE(sim_.run(core::destroy(sim_.host, ref_of(def), false)));
  ASSERT_TRUE(sim_.run(core::undefine(sim_.host, ref_of(def))));
  sim_.settle();  // what clears a life away holds its guest
  EXPECT_EQ(first.use_count(), 1) << "nobody else holds it any more";

  // Whoever comes later under the same UUID begins anew.
  ASSERT_TRUE(sim_.run(core::define(sim_.host, def)));
  EXPECT_FALSE(history_of(def));
}

TEST_F(Histories, OfTransientGuestsGoWhenTheyEnd) {
  const auto def = definition("once");
  ASSERT_TRUE(sim_.run(core::create(sim_.host, def, {})));
  sample(def);
  const auto history = history_of(def);
  ASSERT_TRUE(history);
  ASSERT_TRUE(sim_.run(core::destroy(sim_.host, ref_of(def), false)));
  sim_.settle();
  EXPECT_EQ(history.use_count(), 1);
}

TEST_F(Histories, AreFreedWhenTheyAreSwitchedOffAndBeginAgain) {
  const auto def = definition("web");
  ASSERT_TRUE(sim_.run(core::define(sim_.host, def)));
  ASSERT_TRUE(sim_.run(core::start(sim_.host, ref_of(def), {})));
  sample(def);
  ASSERT_TRUE(history_of(def));
  set_keep(false);
  EXPECT_FALSE(history_of(def));
  sample(def);
  EXPECT_FALSE(history_of(def));
  set_keep(true);
  sample(def);
  EXPECT_TRUE(history_of(def));
}

TEST_F(Histories, TheSamplerFillsThem) {
  const auto def = definition("web");
  ASSERT_TRUE(sim_.run(core::define(sim_.host, def)));
  ASSERT_TRUE(sim_.run(core::start(sim_.host, ref_of(def), {})));
  sim_.on_core([this] {
    sim_.host.sampler.set_period(std::chrono::milliseconds(50));
    sim_.host.sampler.start([this](const core::DomainPtr& guest) { core::remember(sim_.host, guest); });
  });
  const auto& cpu = *core::info_of(core::Series::cpu).scale;
  // A simulated guest uses a tenth to a third of each of its processors. A rate over 50 ms is as true as the two
  // moments at which it was measured, and a worker may be kept from its processor between the clock and the counter:
  // any will do.
  std::optional<double> share;
  for (const auto deadline = Deadline::in(std::chrono::seconds(20));
       !(share && *share >= 9.5 && *share <= 34) && !deadline.passed();) {
    const auto read = sim_.on_core([this, &def] {
      const auto domain = sim_.host.registry.find(def.uuid);
      return domain->history ? domain->history->history() : History();
    });
    for (const auto& entry : read.read(History::Span::hour, core::history_ms(SteadyClock::now())))
      if (const auto one = core::decode(cpu, entry.codes[static_cast<std::size_t>(core::Series::cpu)]))
        if (!share || *share < 9.5 || *share > 34) share = one;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_TRUE(share);
  EXPECT_GE(*share, 9.5);
  EXPECT_LE(*share, 34);
}

}  // namespace
}  // namespace vireo::tests
