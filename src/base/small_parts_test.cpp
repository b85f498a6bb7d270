// The small parts: undo, gate, workers, wake, UUIDs and error texts.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/gate.hpp"
#include "base/io_thread.hpp"
#include "base/undo.hpp"
#include "base/uuid.hpp"
#include "base/workers.hpp"

namespace vireo {
namespace {

using namespace std::chrono_literals;

template <class T>
T wait_for(const asio::any_io_executor& executor, asio::awaitable<T> work) {
  return asio::co_spawn(executor, std::move(work), asio::use_future).get();
}

TEST(Undo, RunsLastFirstUnlessKept) {
  std::string order;
  {
    Undo undo;
    undo.add([&] { order += 'a'; });
    undo.add([&] { order += 'b'; });
  }
  EXPECT_EQ(order, "ba");
  {
    Undo undo;
    undo.add([&] { order += 'c'; });
    undo.keep();
  }
  EXPECT_EQ(order, "ba");
}

TEST(Undo, RunsWhenAnExceptionPasses) {
  bool undone = false;
  EXPECT_THROW(
      {
        Undo undo;
        undo.add([&] { undone = true; });
        throw std::runtime_error("step failed");
      },
      std::runtime_error);
  EXPECT_TRUE(undone);
}

TEST(Gate, RefusesOnceClosedAndWaitsForWhoIsInside) {
  Gate gate;
  auto pass = gate.enter();
  ASSERT_TRUE(pass);
  gate.close();
  EXPECT_FALSE(gate.enter());
  EXPECT_FALSE(gate.wait_until_empty(Deadline::in(1ms)));
  std::thread leaver([&] { pass.reset(); });
  EXPECT_TRUE(gate.wait_until_empty(Deadline::in(10s)));
  leaver.join();
}

TEST(Workers, GiveTheResultBackOnTheCallersThread) {
  IoThread core("core");
  core.start();
  Workers workers("test", 2);
  auto ask = [&]() -> asio::awaitable<Result<std::thread::id>> {
    return workers.run<std::thread::id>([] { return std::this_thread::get_id(); }, Deadline::in(10s));
  };
  const auto worker = wait_for(core.executor(), ask());
  ASSERT_TRUE(worker);
  EXPECT_NE(*worker, std::this_thread::get_id());
  const auto rows = WaitReport::take();
  EXPECT_TRUE(
      std::ranges::any_of(rows, [](const WaitRow& row) { return row.kind == "workers" && row.what == "test"; }));
  core.stop();
}

TEST(Workers, AHungWorkerCostsItsOwnCallerOnly) {
  IoThread core("core");
  core.start();
  Gate hung;
  auto pass = std::make_shared<std::optional<Gate::Pass>>(hung.enter());
  {
    Workers workers("test", 2);
    std::atomic<bool> release{false};
    auto hang = workers.run<int>(
        [&]() -> Result<int> {
          while (!release) std::this_thread::sleep_for(1ms);
          pass->reset();
          return 1;
        },
        Deadline::in(20ms));
    const auto late = wait_for(core.executor(), std::move(hang));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, VIR_ERR_OPERATION_TIMEOUT);
    const auto other = wait_for(core.executor(), workers.run<int>([] { return 2; }, Deadline::in(10s)));
    EXPECT_EQ(other, 2);
    release = true;
    EXPECT_TRUE(hung.wait_until_empty(Deadline::in(10s)));
  }
  core.stop();
}

TEST(Workers, AnExceptionComesBackAsAnError) {
  IoThread core("core");
  core.start();
  Workers workers("test", 1);
  const auto failed =
      wait_for(core.executor(),
               workers.run<int>([]() -> Result<int> { throw std::runtime_error("disk on fire"); }, Deadline::in(10s)));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().detail, "disk on fire");
  core.stop();
}

asio::awaitable<bool> wait_on(std::shared_ptr<Wake> wake, Deadline deadline) {
  co_return co_await wake->wait(deadline);
}

TEST(Wake, IsNotLostWhenItComesFirstAndEndsAtTheDeadline) {
  IoThread core("core");
  auto early = std::make_shared<Wake>(core.executor()), never = std::make_shared<Wake>(core.executor());
  early->fire();
  core.start();
  EXPECT_TRUE(wait_for(core.executor(), wait_on(early, Deadline::in(10s))));
  EXPECT_FALSE(wait_for(core.executor(), wait_on(never, Deadline::in(5ms))));
  core.stop();
}

TEST(Uuid, IsReadAsLibvirtReadsIt) {
  const std::string text = "6695eb01-f6a4-8304-79aa-97f2502e193f";
  EXPECT_EQ(Uuid::parse(text)->text(), text);
  EXPECT_EQ(Uuid::parse(" 6695EB01F6A4830479AA97F2502E193F\n")->text(), text);
  for (const char* bad :
       {"", "6695eb01", "6695eb01-f6a4-8304-79aa-97f2502e193g", "6695eb01-f6a4-8304-79aa-97f2502e193f0"})
    EXPECT_FALSE(Uuid::parse(bad)) << bad;
  EXPECT_NE(Uuid::random(), Uuid::random());
  EXPECT_EQ(Uuid::random().text()[14], '4');
}

TEST(Error, ReadsAsALibvirtClientKnowsIt) {
  EXPECT_EQ((Error{.code = VIR_ERR_NO_DOMAIN, .detail = "no domain with matching name 'web'"}.message()),
            "Domain not found: no domain with matching name 'web'");
  EXPECT_EQ(fail_errno(ENOENT, "cannot open '/x'").error().message(), "cannot open '/x': No such file or directory");
}

}  // namespace
}  // namespace vireo
