// Models on top of each other: the order of their work, what is taken back when, and what a guest may ask for.
#include "security/stack.hpp"

#include <gtest/gtest.h>

#include <latch>
#include <mutex>
#include <thread>

#include "base/fault.hpp"

namespace vireo::security {
namespace {

using namespace std::chrono_literals;
using model::SecLabelType;

// What all of them did, in order: "+a" labelled, "-a" taken back.
struct Diary {
  std::mutex mutex;
  std::vector<std::string> lines;

  void add(std::string line) {
    const std::lock_guard hold(mutex);
    lines.push_back(std::move(line));
  }
  std::vector<std::string> take() {
    const std::lock_guard hold(mutex);
    return std::exchange(lines, {});
  }
};

class Scribe final : public Driver {
 public:
  // `at_work`: one that takes until the others have come there, too.
  Scribe(std::string name, Diary& diary, std::latch* at_work = nullptr, bool fails = false)
      : name_(std::move(name)), diary_(diary), at_work_(at_work), fails_(fails) {}
  ports::SecurityModel about() const override { return {.name = name_}; }
  Result<ports::LabelClaim> choose(const model::DomainDef&, model::SecLabel& label) override {
    if (!label.is_static()) label.label = "a label of " + name_;
    ++*held_;
    return ports::LabelClaim(nullptr, [held = held_](void*) { --*held; });
  }
  Result<void> apply(const model::DomainDef&, const model::SecLabel&, Deadline) const override {
    if (at_work_) at_work_->arrive_and_wait();
    if (fails_) return fail(VIR_ERR_SYSTEM_ERROR, name_ + " fails");
    diary_.add("+" + name_);
    return {};
  }
  void take_back(const model::DomainDef&, const model::SecLabel&, Deadline) const override { diary_.add("-" + name_); }
  std::shared_ptr<int> held() const { return held_; }

 private:
  std::string name_;
  Diary& diary_;
  std::latch* at_work_;
  bool fails_;
  std::shared_ptr<int> held_ = std::make_shared<int>(0);
};

class StackTest : public testing::Test {
 protected:
  template <class... Drivers>
  Stack stack(Drivers... drivers) {
    std::vector<std::unique_ptr<Driver>> all;
    (all.push_back(std::move(drivers)), ...);
    return {workers, std::move(all), std::nullopt};
  }
  auto scribe(const char* name, std::latch* at_work = nullptr, bool fails = false) {
    return std::make_unique<Scribe>(name, diary, at_work, fails);
  }
  // Until the workers have done what they were given, and not only what they had begun.
  void let_workers_finish() {
    while (workers.busy() > 0) std::this_thread::sleep_for(1ms);
  }
  template <class T>
  T run(asio::awaitable<T> work) {
    auto result = asio::co_spawn(core, std::move(work), asio::use_future);
    core.restart();
    core.run();
    return result.get();
  }
  static model::DomainDefPtr guest(std::vector<model::SecLabel> labels = {}) {
    auto def = std::make_shared<model::DomainDef>();
    def->name = "guest";
    def->seclabels = std::move(labels);
    return def;
  }
  using Lines = std::vector<std::string>;

  asio::io_context core;
  Diary diary;
  Workers workers{"labels", 2};
};

TEST_F(StackTest, LabelsInOrderAndTakesBackInReverse) {
  auto both = stack(scribe("a"), scribe("b"));
  ASSERT_TRUE(run(both.label(guest(), Deadline::in(10s))));
  EXPECT_EQ(diary.take(), (Lines{"+a", "+b"}));
  run(both.restore(guest(), Deadline::in(10s)));
  EXPECT_EQ(diary.take(), (Lines{"-b", "-a"}));
}

TEST_F(StackTest, WhatWasDoneIsTakenBackWhenTheNextOneFails) {
  auto three = stack(scribe("a"), scribe("b"), scribe("c", nullptr, true));
  const auto done = run(three.label(guest(), Deadline::in(10s)));
  ASSERT_FALSE(done);
  EXPECT_TRUE(done.error().message().contains("c fails"));
  EXPECT_EQ(diary.take(), (Lines{"+a", "+b", "-b", "-a"}));
}

TEST_F(StackTest, WhatComesTooLateIsTakenBack) {
  std::latch at_work{2};
  auto slow = stack(scribe("a", &at_work));
  const auto done = run(slow.label(guest(), Deadline::in(10ms)));
  at_work.count_down();
  EXPECT_EQ(done.error().code, VIR_ERR_OPERATION_TIMEOUT);
  let_workers_finish();
  EXPECT_EQ(diary.take(), (Lines{"+a", "-a"}));
}

TEST_F(StackTest, IsGivenUpAtOnce) {
  std::latch at_work{2};
  auto slow = stack(scribe("a", &at_work));
  asio::cancellation_signal given_up;
  auto result = asio::co_spawn(core, slow.label(guest(), Deadline::in(1h)),
                               asio::bind_cancellation_slot(given_up.slot(), asio::use_future));
  asio::steady_timer soon(core, 20ms);
  soon.async_wait([&](boost::system::error_code) { given_up.emit(asio::cancellation_type::terminal); });
  core.run();  // to its end, though the worker is still at it
  EXPECT_FALSE(result.get());
  at_work.count_down();
  let_workers_finish();
  EXPECT_EQ(diary.take(), (Lines{"+a", "-a"}));
}

TEST_F(StackTest, OneThatHangsHoldsOnlyItsOwnWorker) {
  std::latch at_work{2};
  auto hung = stack(scribe("hung", &at_work)), quick = stack(scribe("quick"));
  auto slow = asio::co_spawn(core, hung.label(guest(), Deadline::in(1h)), asio::use_future);
  auto fast = asio::co_spawn(core, quick.label(guest(), Deadline::in(1h)), asio::use_future);
  while (fast.wait_for(0s) != std::future_status::ready) core.run_one();
  EXPECT_EQ(slow.wait_for(0s), std::future_status::timeout);
  at_work.count_down();
  core.run();
  EXPECT_TRUE(fast.get() && slow.get());
}

TEST_F(StackTest, EveryModelChoosesAndIsShown) {
  auto first = scribe("selinux");
  const auto held = first->held();
  auto both = stack(scribe("dac"), std::move(first));
  ASSERT_EQ(both.models().size(), 2U);
  EXPECT_EQ(both.models().front().name, "selinux") << "owners are never the first";
  model::DomainDef live;
  {
    const auto claim = both.choose(live);
    ASSERT_TRUE(claim);
    EXPECT_EQ(*held, 1);
    ASSERT_EQ(live.seclabels.size(), 2U);
    EXPECT_EQ(live.seclabel("dac")->label, "a label of dac");
    EXPECT_EQ(live.seclabel("selinux")->type, SecLabelType::dynamic);
    EXPECT_TRUE(live.seclabel("selinux")->relabels());
  }
  EXPECT_EQ(*held, 0) << "a claim ends with its life";
}

TEST_F(StackTest, NoneMeansThatTheModelDoesNothing) {
  auto both = stack(scribe("dac"), scribe("selinux"));
  auto live = std::make_shared<model::DomainDef>(*guest({{.type = SecLabelType::none, .model = "selinux"}}));
  ASSERT_TRUE(both.choose(*live));
  EXPECT_EQ(live->seclabel("selinux")->label, "");
  ASSERT_TRUE(run(both.label(live, Deadline::in(10s))));
  run(both.restore(live, Deadline::in(10s)));
  EXPECT_EQ(diary.take(), (Lines{"+dac", "-dac"}));
}

TEST_F(StackTest, AModelThatIsNotInForceIsRefusedByName) {
  auto dac = stack(scribe("dac"));
  EXPECT_EQ(dac.models().front().name, "none");
  for (const auto& label : {model::SecLabel{.type = SecLabelType::dynamic, .model = "selinux"},
                            model::SecLabel{.type = SecLabelType::none, .model = "selinux"},
                            model::SecLabel{.type = SecLabelType::fixed, .model = "none", .label = "x"}}) {
    auto live = *guest({label});
    const auto refused = dac.choose(live);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, VIR_ERR_CONFIG_UNSUPPORTED);
    EXPECT_TRUE(refused.error().message().contains("Security driver model '" + label.model + "' is not available"));
  }
  auto live = *guest();
  live.devices.disks.push_back({.file = "/x", .seclabels = {{.model = "foo", .relabel = false, .label = {}}}});
  EXPECT_TRUE(dac.choose(live).error().message().contains("'foo'"));
  live = *guest({{.type = SecLabelType::none}});
  ASSERT_TRUE(dac.choose(live)) << "the first model is none, and that one does nothing";
  EXPECT_EQ(live.seclabels.front().model, "none");
}

TEST_F(StackTest, AFaultBeforeTheFirstModelChangesNothing) {
  auto dac = stack(scribe("dac"));
  const fault::Armed armed({.name = "security.label"});
  EXPECT_FALSE(run(dac.label(guest(), Deadline::in(10s))));
  EXPECT_EQ(diary.take(), Lines{});
}

}  // namespace
}  // namespace vireo::security
