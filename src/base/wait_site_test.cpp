// Sites of waits: told apart by line and holder, most total first; mutexes, and the names of functions.
#include "base/wait_site.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "base/counted_mutex.hpp"
#include "base/io_thread.hpp"

namespace vireo {
namespace {

using namespace std::chrono_literals;

std::vector<WaitRow> rows_of(std::string_view kind) {
  auto rows = WaitReport::take();
  std::erase_if(rows, [&](const WaitRow& row) { return row.kind != kind; });
  return rows;
}

WaitSite& here(std::string_view what, std::source_location where = std::source_location::current()) {
  return WaitSite::at("here", what, where);
}

TEST(WaitSites, AreToldApartByLineThingAndHolder) {
  WaitReport::reset();
  for (int i = 0; i < 3; ++i) here("lane").add(10us, "start");
  here("lane").add(1ms, "destroy");
  here("queue").add(2us);
  const auto rows = rows_of("here");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].holder, "destroy");
  EXPECT_EQ(rows[0].total_ns, 1'000'000U);
  EXPECT_EQ(rows[1].count, 3U);
  EXPECT_EQ(rows[1].max_ns, 10'000U);
  EXPECT_EQ(rows[1].total_ns, 30'000U);
  EXPECT_EQ(rows[1].file, "src/base/wait_site_test.cpp");
  EXPECT_EQ(rows[2].what, "queue");
  EXPECT_EQ(rows[2].holder, "");
  WaitReport::reset();
  EXPECT_TRUE(rows_of("here").empty());
}

TEST(WaitSites, AddUpHoldersBeyondThoseTheyTellApart) {
  WaitReport::reset();
  static const std::array<const char*, 14> holders{"a", "b", "c", "d", "e", "f", "g",
                                                   "h", "i", "j", "k", "l", "m", "n"};
  for (const auto* holder : holders) here("crowd").add(1us, holder);
  const auto rows = rows_of("here");
  EXPECT_EQ(rows.size(), 13U);
  EXPECT_TRUE(std::ranges::any_of(rows, [](const WaitRow& row) { return row.holder == "others" && row.count == 2; }));
}

TEST(WaitSites, TakeWaitsFromManyThreads) {
  WaitReport::reset();
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([] {
      for (int n = 0; n < 1000; ++n) here("many").add(1us, "somebody");
    });
  for (auto& thread : threads) thread.join();
  ASSERT_EQ(rows_of("here").size(), 1U);
  EXPECT_EQ(rows_of("here")[0].count, 4000U);
}

void keep_it(CountedMutex& mutex, std::atomic<bool>& taken) {
  const CountedMutex::Hold hold(mutex);
  taken = true;
  std::this_thread::sleep_for(20ms);
}

TEST(CountedMutexes, SayWhoWaitedAndWhoHeldThem) {
  WaitReport::reset();
  CountedMutex mutex("test data");
  {
    const CountedMutex::Hold uncontended(mutex);
  }
  EXPECT_TRUE(rows_of("mutex").empty());
  // Who comes only when it is free again, since the processor was elsewhere, has not waited: another try.
  std::vector<WaitRow> rows;
  for (int tries = 0; tries < 1000 && (rows.empty() || rows[0].total_ns <= 1'000'000); ++tries) {
    std::atomic<bool> taken = false;
    std::thread other([&] { keep_it(mutex, taken); });
    while (!taken) std::this_thread::yield();
    {
      const CountedMutex::Hold hold(mutex);
    }
    other.join();
    rows = rows_of("mutex");
  }
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].what, "test data");
  EXPECT_EQ(rows[0].holder, "keep_it");
  EXPECT_GT(rows[0].total_ns, 1'000'000U);
}

TEST(FunctionNames, AreShort) {
  EXPECT_EQ(short_function_name("boost::asio::awaitable<Result<int>> vireo::core::start(Host &, DomainRef)"),
            "core::start");
  EXPECT_EQ(short_function_name("void vireo::Published<int>::publish(std::shared_ptr<const T>) [T = int]"),
            "Published<int>::publish");
  EXPECT_EQ(short_function_name("Pin vireo::Published<const int>::pin() const [T = const int]"),
            "Published<const int>::pin");
  EXPECT_EQ(short_function_name("Done vireo::core::(anonymous namespace)::admit(Launch &, std::function<void ()>)"),
            "core::admit");
  EXPECT_EQ(short_function_name("main"), "main");
  EXPECT_EQ(short_function_name("start"), "start");
  EXPECT_EQ(short_function_name("launches under way"), "launches under way");
}

TEST(LoopMeters, CountTurnsAndTimeAtWork) {
  LoopMeter meter;
  IoThread core("core", &meter);
  core.start();
  // The first: what others sleep before it is taken off a turn that had to be waited for.
  asio::post(core.executor(), [] {
    // By the thread's own clock, which stands still while others have the processor.
    const auto used = [] { return LoopMeter::processor_time_of(CLOCK_THREAD_CPUTIME_ID); };
    for (const auto end = used() + 5ms; used() < end;) {
    }
  });
  asio::post(core.executor(), [] { std::this_thread::sleep_for(1ms); });
  asio::post(core.executor(), asio::use_future([] {})).get();
  // A turn is counted when it has ended, which the next one knows.
  asio::post(core.executor(), asio::use_future([] {})).get();
  const auto figures = meter.figures();  // while the thread is there
  core.stop();
  EXPECT_GE(figures.turns, 3U);
  EXPECT_GE(figures.longest, 4ms);
  EXPECT_GE(figures.busy, 5ms);
  EXPECT_LE(figures.load(), 1.1);
}

}  // namespace
}  // namespace vireo
