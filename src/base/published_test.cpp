// Published under readers and a writer at once (run under ThreadSanitizer), and the rules of pinning.
#include "base/published.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace vireo {
namespace {

// Two halves that are always written together: a reader that sees them differ has seen a torn version.
struct Pair {
  long a = 0, b = 0;
};

TEST(Published, ReadersNeverSeeATornOrOlderVersion) {
  Published<Pair> published(std::make_shared<const Pair>());
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  readers.reserve(4);
  for (int i = 0; i < 4; ++i)
    readers.emplace_back([&] {
      long last = 0;
      while (!stop.load(std::memory_order_relaxed)) {
        const auto pin = published.pin();
        ASSERT_EQ(pin->a, pin->b);
        ASSERT_GE(pin->a, last);
        last = pin->a;
      }
    });
  for (long n = 1; n <= 20'000; ++n) published.publish(std::make_shared<const Pair>(Pair{n, n}));
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(published.pin()->a, 20'000);
}

TEST(Published, APinKeepsItsVersionAndInnerPinsAgree) {
  Published<int> published(std::make_shared<const int>(1));
  {
    const auto outer = published.pin();
    published.publish(std::make_shared<const int>(2));
    const auto inner = published.pin();
    EXPECT_EQ(*outer, 1);
    EXPECT_EQ(*inner, 1);
    EXPECT_EQ(*published.snapshot(), 2);
  }
  EXPECT_EQ(*published.pin(), 2);
}

TEST(Published, InstancesOnOneThreadAreApart) {
  Published<int> first(std::make_shared<const int>(1)), second(std::make_shared<const int>(2));
  const auto a = first.pin();
  const auto b = second.pin();
  EXPECT_EQ(*a, 1);
  EXPECT_EQ(*b, 2);
}

TEST(Published, AnOldVersionGoesWhenItsReadersReadOn) {
  auto first = std::make_shared<const int>(1);
  std::weak_ptr<const int> watch = first;
  Published<int> published(std::move(first));
  EXPECT_EQ(*published.pin(), 1);
  published.publish(std::make_shared<const int>(2));
  EXPECT_FALSE(watch.expired());  // this thread's own reference
  EXPECT_EQ(*published.pin(), 2);
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace vireo
