// Each verb on the simulated hypervisor: states, reasons, events, errors, and that nothing is left behind.
#include <fstream>

#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

using namespace std::chrono_literals;

struct Verbs : ::testing::Test {
  SimHost sim;
  core::Host& host = sim.host;

  model::DomainDef defined(const std::string& name) {
    auto def = definition(name);
    EXPECT_TRUE(sim.run(core::define(host, def)));
    return def;
  }
  bool is_launching(Uuid uuid) {
    return sim.on_core([this, uuid] {
      const auto domain = host.registry.find(uuid);
      return domain && domain->launching != nullptr;
    });
  }
  void expect_state(const core::DomainRef& ref, int state, int reason) {
    sim.settle();
    const auto view = sim.see(ref);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->state, state);
    EXPECT_EQ(view->reason, reason);
  }
};

TEST_F(Verbs, APersistentGuestLivesAndItsEventsTellIt) {
  const auto web = defined("web");
  const auto ref = ref_of(web);
  ASSERT_TRUE(sim.run(core::start(host, ref, {})));
  expect_state(ref, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
  const int id = sim.see(ref)->id;
  EXPECT_GT(id, 0);
  ASSERT_TRUE(sim.run(core::suspend(host, ref)));
  expect_state(ref, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
  ASSERT_TRUE(sim.run(core::suspend(host, ref)));  // again: succeeds, changes nothing
  ASSERT_TRUE(sim.run(core::resume(host, ref)));
  expect_state(ref, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
  ASSERT_TRUE(sim.run(core::destroy(host, ref, false)));
  expect_state(ref, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED);
  EXPECT_EQ(sim.see(ref)->id, -1);
  ASSERT_TRUE(sim.run(core::undefine(host, ref)));
  EXPECT_FALSE(sim.see(ref));
  sim.settle();
  EXPECT_EQ(sim.events,
            (std::vector<SimHost::Seen>{{"web", VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_ADDED},
                                        {"web", VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED},
                                        {"web", VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED},
                                        {"web", VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED},
                                        {"web", VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED},
                                        {"web", VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_REMOVED}}));
  EXPECT_EQ(sim.simulated_processes(), 0);
}

TEST_F(Verbs, ATransientGuestIsGoneWhenItEnds) {
  const auto job = definition("job");
  ASSERT_TRUE(sim.run(core::create(host, job, {.paused = true})));
  expect_state(ref_of(job), VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
  EXPECT_EQ(sim.run(core::undefine(host, ref_of(job))).error().detail, "cannot undefine transient domain");
  EXPECT_EQ(sim.run(core::set_autostart(host, ref_of(job), true)).error().code, VIR_ERR_OPERATION_INVALID);
  ASSERT_TRUE(sim.run(core::destroy(host, ref_of(job), false)));
  EXPECT_FALSE(sim.see(ref_of(job)));
  EXPECT_EQ(sim.run(core::start(host, ref_of(job), {})).error().code, VIR_ERR_NO_DOMAIN);
  // Its name is free at once.
  EXPECT_TRUE(sim.run(core::define(host, definition("job"))));
}

TEST_F(Verbs, ADefinedGuestThatIsUndefinedWhileItRunsBecomesTransient) {
  const auto web = defined("web");
  ASSERT_TRUE(sim.run(core::start(host, ref_of(web), {})));
  ASSERT_TRUE(sim.run(core::undefine(host, ref_of(web))));
  EXPECT_EQ(sim.see(ref_of(web))->persistent, nullptr);
  ASSERT_TRUE(sim.run(core::define(host, web)));
  EXPECT_NE(sim.see(ref_of(web))->persistent, nullptr);
  ASSERT_TRUE(sim.run(core::undefine(host, ref_of(web))));
  ASSERT_TRUE(sim.run(core::destroy(host, ref_of(web), false)));
  EXPECT_FALSE(sim.see(ref_of(web)));
}

TEST_F(Verbs, NamesAndUuidsBelongToOneGuest) {
  const auto web = defined("web");
  auto same_name = definition("web");
  EXPECT_EQ(sim.run(core::define(host, same_name)).error().message(),
            "operation failed: domain 'web' already exists with uuid " + web.uuid.text());
  auto same_uuid = definition("other", web.uuid);
  EXPECT_EQ(sim.run(core::define(host, same_uuid)).error().message(),
            "operation failed: domain 'web' is already defined with uuid " + web.uuid.text());
  // What was refused has left no claim: both names can be used.
  EXPECT_TRUE(sim.run(core::define(host, definition("other"))));
}

TEST_F(Verbs, TwoCreatesOfOneNameCannotBothWin) {
  sim.script->launch_delay = 20ms;
  auto first = sim.begin(core::create(host, definition("twin"), {}));
  auto second = sim.begin(core::create(host, definition("twin"), {}));
  EXPECT_EQ((first.get() ? 1 : 0) + (second.get() ? 1 : 0), 1);
  EXPECT_EQ(sim.simulated_processes(), 1);
}

TEST_F(Verbs, AFailedStartLeavesNothingAndCanBeTriedAgain) {
  const auto web = defined("web");
  sim.script->launch_fails = true;
  EXPECT_FALSE(sim.run(core::start(host, ref_of(web), {})));
  expect_state(ref_of(web), VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED);
  EXPECT_EQ(sim.simulated_processes(), 0);
  const auto job = definition("job");
  EXPECT_FALSE(sim.run(core::create(host, job, {})));
  EXPECT_FALSE(sim.see(ref_of(job)));
  sim.script->launch_fails = false;
  EXPECT_TRUE(sim.run(core::start(host, ref_of(web), {})));
  EXPECT_TRUE(sim.run(core::create(host, job, {})));
}

TEST_F(Verbs, DestroyFreesAGuestWhoseMonitorHangs) {
  const auto web = defined("web");
  ASSERT_TRUE(sim.run(core::start(host, ref_of(web), {})));
  sim.script->commands_hang = true;
  auto stuck = sim.begin(core::suspend(host, ref_of(web)));
  sim.settle();
  EXPECT_TRUE(sim.run(core::destroy(host, ref_of(web), false)));
  expect_state(ref_of(web), VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED);
  // The suspend itself still waits for its monitor's deadline: nobody else does.
  EXPECT_EQ(stuck.wait_for(0s), std::future_status::timeout);
}

TEST_F(Verbs, DestroyGivesALaunchUpThatHangs) {
  const auto web = defined("web");
  sim.script->launch_delay = 1h;
  auto start = sim.begin(core::start(host, ref_of(web), {}));
  while (!is_launching(web.uuid)) {
  }
  const auto ended = sim.run(core::destroy(host, ref_of(web), false));
  EXPECT_TRUE(ended) << ended.error().message();
  const auto started = start.get();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message(), "operation failed: domain 'web' was destroyed while it was being started");
  EXPECT_EQ(sim.simulated_processes(), 0);
  sim.script->launch_delay = 0ms;
  EXPECT_TRUE(sim.run(core::start(host, ref_of(web), {}))) << "startable again at once";
}

TEST_F(Verbs, ADiskImageHasOneWriterWhateverItsPath) {
  const Folder folder;
  const auto image = folder.file("web.img"), link = folder.file("link.img"), none = folder.file("none.img");
  std::ofstream(image) << "x";
  std::filesystem::create_hard_link(image, link);
  const auto with_disk = [](const std::string& name, const std::string& file, bool shareable, bool readonly) {
    auto def = definition(name);
    def.devices.disks.push_back({.file = file, .target = "vda", .readonly = readonly, .shareable = shareable});
    return def;
  };
  const auto web = with_disk("web", image, false, false);
  ASSERT_TRUE(sim.run(core::create(host, web, {})));
  const auto second = sim.run(core::create(host, with_disk("db", link, false, false), {}));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, VIR_ERR_RESOURCE_BUSY);
  EXPECT_NE(second.error().detail.find("written to by running guest 'web'"), std::string::npos);
  EXPECT_FALSE(sim.run(core::create(host, with_disk("db", link, true, false), {}))) << "both must agree to share";
  EXPECT_TRUE(sim.run(core::create(host, with_disk("reader", link, false, true), {})));
  ASSERT_TRUE(sim.run(core::destroy(host, ref_of(web), false)));
  EXPECT_TRUE(sim.run(core::create(host, with_disk("one", image, true, false), {})));
  EXPECT_TRUE(sim.run(core::create(host, with_disk("two", link, true, false), {})));

  const auto missing = sim.run(core::create(host, with_disk("lost", none, false, false), {}));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, VIR_ERR_SYSTEM_ERROR);
  EXPECT_EQ(missing.error().detail, "Cannot access storage file '" + none + "': No such file or directory");
}

TEST_F(Verbs, TheLastLaunchIsTimedStepByStep) {
  const auto web = defined("web");
  ASSERT_TRUE(sim.run(core::start(host, ref_of(web), {})));
  const auto good = sim.see(ref_of(web))->last_launch;
  ASSERT_TRUE(good);
  std::vector<std::string> names;
  std::int64_t end_us = good->steps.front().begin_us;  // the clock was started a moment before
  for (const auto& step : good->steps) {
    names.emplace_back(step.name);
    EXPECT_EQ(step.begin_us, end_us) << "a step begins where the one before ended";
    end_us = step.end_us;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"lane", "claim", "persist", "files", "label", "admission", "capabilities",
                                             "persist", "continue", "publish"}));
  EXPECT_EQ(good->total_us(), end_us);
  EXPECT_EQ(good->error, "");

  ASSERT_TRUE(sim.run(core::destroy(host, ref_of(web), false)));
  sim.script->launch_fails = true;
  EXPECT_FALSE(sim.run(core::start(host, ref_of(web), {})));
  const auto bad = sim.see(ref_of(web))->last_launch;
  EXPECT_STREQ(bad->steps.back().name, "undo");
  EXPECT_EQ(bad->error, "internal error: the simulation was told to fail this launch");
}

TEST_F(Verbs, APowerOffEndsTheGuestAndARebootDoesNot) {
  const auto web = defined("web");
  ASSERT_TRUE(sim.run(core::start(host, ref_of(web), {})));
  ASSERT_TRUE(sim.run(core::reboot(host, ref_of(web))));
  expect_state(ref_of(web), VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
  ASSERT_TRUE(sim.run(core::shutdown(host, ref_of(web))));
  expect_state(ref_of(web), VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN);
  EXPECT_EQ(sim.events.back(), (SimHost::Seen{"web", VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN}));
}

TEST(Recovery, DefinitionsAndTheIdMarkOutliveTheCore) {
  const Folder folder;
  const auto file = folder.file("vireo.db");
  const auto web = definition("web"), job = definition("job");
  int last_id = 0;
  {
    SimHost sim(file);
    ASSERT_TRUE(sim.run(core::define(sim.host, web)));
    ASSERT_TRUE(sim.run(core::set_autostart(sim.host, ref_of(web), true)));
    ASSERT_TRUE(sim.run(core::create(sim.host, job, {})));
    last_id = sim.see(ref_of(job))->id;
  }
  {
    auto store = persist::SqliteStore::open(file).value();
    const auto loaded = store->load("this boot").value();
    EXPECT_TRUE(loaded.first_since_boot);
    EXPECT_FALSE(store->load("this boot")->first_since_boot);
    ASSERT_EQ(loaded.definitions.size(), 1U);
    EXPECT_TRUE(loaded.definitions.front().autostart);
    ASSERT_EQ(loaded.runs.size(), 1U);
    EXPECT_EQ(loaded.runs.front().id, last_id);
    EXPECT_EQ(loaded.runs.front().state, VIR_DOMAIN_RUNNING);

    SimHost sim(file);
    sim.run(core::recover(sim.host, loaded, Deadline::in(10s)));
    sim.settle();
    // A simulated guest ends with its daemon: the transient one is gone, and said to be.
    EXPECT_TRUE(sim.see(ref_of(web)));
    EXPECT_FALSE(sim.see(ref_of(job)));
    EXPECT_EQ(sim.events.back().event, VIR_DOMAIN_EVENT_STOPPED);
    ASSERT_TRUE(sim.run(core::start(sim.host, ref_of(web), {})));
    EXPECT_GT(sim.see(ref_of(web))->id, last_id);
  }
}

}  // namespace
}  // namespace vireo::tests
