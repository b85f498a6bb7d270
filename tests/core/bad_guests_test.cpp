// Processes that do not end, and guests that cannot be reached: what is told and kept, and that nothing of it is lost.
// What a real QEMU can be made to do is in tests/scenario/bad_guests_test.py.
#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

using namespace std::chrono_literals;

class BadGuests : public ::testing::Test {
 protected:
  BadGuests() { begin_daemon(); }
  void begin_daemon() {
    sim.reset();
    sim.emplace(database_, world_);
  }
  void recover() { sim->run(core::recover(sim->host, rows_of(database_), Deadline::in(10s))); }
  // From now on these steps fail, until there are none again.
  void fail_at(const std::set<sim::Step>& steps) {
    sim->on_core([&] {  // where the script is read
      sim->script->fate = [steps](sim::Step step) { return sim::Fate{.fails = steps.contains(step)}; };
    });
  }
  std::vector<ports::RunRecord> records() { return rows_of(database_).runs; }
  bool has_folder(int id) { return std::filesystem::exists(sim->folder() / std::to_string(id)); }

  const Folder folder_;
  const std::string database_ = folder_.file("vireo.db");
  const std::shared_ptr<sim::World> world_ = std::make_shared<sim::World>();
  std::optional<SimHost> sim;
  const model::DomainDef def_ = definition("web");
  const core::DomainRef ref_ = ref_of(def_);
};

TEST_F(BadGuests, AGuestThatCannotBeEndedIsStillThere) {
  ASSERT_TRUE(sim->run(core::create(sim->host, def_, {})));
  fail_at({sim::Step::End});
  auto destroyed = sim->run(core::destroy(sim->host, ref_, false));
  ASSERT_FALSE(destroyed);
  EXPECT_EQ(destroyed.error().code, VIR_ERR_SYSTEM_ERROR);
  EXPECT_EQ(destroyed.error().detail, "the guest's process does not end");
  ASSERT_TRUE(sim->see(ref_));
  EXPECT_EQ(sim->see(ref_)->state, VIR_DOMAIN_RUNNING);
  EXPECT_EQ(records().size(), 1U);
  EXPECT_TRUE(has_folder(sim->see(ref_)->id));

  fail_at({});
  EXPECT_TRUE(sim->run(core::destroy(sim->host, ref_, false)));
  sim->settle();
  EXPECT_FALSE(sim->see(ref_));
  EXPECT_TRUE(records().empty());
  EXPECT_EQ(sim->events.back(), SimHost::Seen("web", VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED));
}

// vCPUs that do not run fail the start when its process is there already.
TEST_F(BadGuests, AFailedStartWhoseProcessDoesNotEndKeepsItsRecordUntilItDoes) {
  ASSERT_TRUE(sim->run(core::define(sim->host, def_)));
  fail_at({sim::Step::Command, sim::Step::End, sim::Step::Sweep});
  auto started = sim->run(core::start(sim->host, ref_, {}));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, VIR_ERR_OPERATION_TIMEOUT);
  EXPECT_EQ(
      started.error().detail,
      "the guest's monitor does not answer; what was started of it cannot be ended: the guest's process does not end");
  EXPECT_EQ(sim->see(ref_)->state, VIR_DOMAIN_SHUTOFF);
  EXPECT_EQ(sim->see(ref_)->reason, VIR_DOMAIN_SHUTOFF_FAILED);
  EXPECT_EQ(sim->simulated_processes(), 1);
  const auto kept = records();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_FALSE(kept.front().process) << "an intent: the next daemon must not take it for a running guest";
  EXPECT_TRUE(has_folder(kept.front().id));

  fail_at({});
  EXPECT_TRUE(wait_until([&] { return records().empty(); }));
  EXPECT_EQ(sim->simulated_processes(), 0);
  EXPECT_FALSE(has_folder(kept.front().id));
  EXPECT_TRUE(sim->run(core::start(sim->host, ref_, {})));
}

TEST_F(BadGuests, TheNextDaemonEndsWhatAFailedStartCouldNot) {
  ASSERT_TRUE(sim->run(core::define(sim->host, def_)));
  fail_at({sim::Step::Command, sim::Step::End, sim::Step::Sweep});
  ASSERT_FALSE(sim->run(core::start(sim->host, ref_, {})));
  begin_daemon();
  recover();
  EXPECT_EQ(sim->simulated_processes(), 0);
  EXPECT_TRUE(records().empty());
  EXPECT_TRUE(std::filesystem::is_empty(sim->folder()));
  EXPECT_EQ(sim->see(ref_)->state, VIR_DOMAIN_SHUTOFF);
}

TEST_F(BadGuests, AGuestThatIsNotTakenOverYetCanBeDestroyed) {
  ASSERT_TRUE(sim->run(core::define(sim->host, def_)));
  ASSERT_TRUE(sim->run(core::start(sim->host, ref_, {})));
  begin_daemon();
  fail_at({sim::Step::Adopt, sim::Step::Sweep});
  recover();
  ASSERT_EQ(sim->see(ref_)->state, VIR_DOMAIN_RUNNING);
  const auto suspended = sim->run(core::suspend(sim->host, ref_));
  ASSERT_FALSE(suspended);
  EXPECT_EQ(suspended.error().code, VIR_ERR_OPERATION_INVALID);
  EXPECT_FALSE(sim->run(core::destroy(sim->host, ref_, false)));
  EXPECT_EQ(sim->see(ref_)->state, VIR_DOMAIN_RUNNING) << "its process lives";

  fail_at({sim::Step::Adopt});
  EXPECT_TRUE(sim->run(core::destroy(sim->host, ref_, false)));
  sim->settle();
  EXPECT_EQ(sim->see(ref_)->state, VIR_DOMAIN_SHUTOFF);
  EXPECT_EQ(sim->see(ref_)->reason, VIR_DOMAIN_SHUTOFF_DESTROYED);
  EXPECT_EQ(sim->simulated_processes(), 0);
  EXPECT_TRUE(records().empty());
  EXPECT_TRUE(sim->run(core::start(sim->host, ref_, {})));
}

}  // namespace
}  // namespace vireo::tests
