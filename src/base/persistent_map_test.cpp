// The persistent map against std::map, by random operations; and against hashes that collide on purpose.
#include "base/persistent_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace vireo {
namespace {

// Few different hashes, so that deep nodes and collision lists are reached.
struct BadHash {
  std::size_t operator()(int n) const { return static_cast<std::size_t>(n % 3); }
};
struct SameUpperBits {
  std::size_t operator()(int n) const { return static_cast<std::size_t>(n) << 60; }
};

template <class Map>
void expect_same(const Map& map, const std::map<int, int>& model) {
  ASSERT_EQ(map.size(), model.size());
  std::map<int, int> seen;
  map.for_each([&](int key, int value) { EXPECT_TRUE(seen.emplace(key, value).second); });
  ASSERT_EQ(seen, model);
}

template <class Hash>
void run_random_operations(unsigned seed, int keys, int steps) {
  std::mt19937 random(seed);
  PersistentMap<int, int, Hash> map;
  std::map<int, int> model;
  // Old versions must stay as they were, whatever happens to newer ones.
  std::vector<std::pair<PersistentMap<int, int, Hash>, std::map<int, int>>> kept;
  for (int step = 0; step < steps; ++step) {
    const int key = static_cast<int>(random() % static_cast<unsigned>(keys));
    if (random() % 3 != 0) {
      map = map.set(key, step);
      model[key] = step;
    } else {
      map = map.erase(key);
      model.erase(key);
    }
    const auto* found = map.find(key);
    const auto expected = model.find(key);
    ASSERT_EQ(found != nullptr, expected != model.end());
    if (found) ASSERT_EQ(*found, expected->second);
    if (step % (steps / 8) == 0) kept.emplace_back(map, model);
  }
  expect_same(map, model);
  for (const auto& [version, contents] : kept) expect_same(version, contents);
}

TEST(PersistentMap, BehavesLikeAMap) {
  for (unsigned seed = 0; seed < 20; ++seed) run_random_operations<std::hash<int>>(seed, 300, 4000);
}

TEST(PersistentMap, BehavesLikeAMapWhenHashesCollide) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    run_random_operations<BadHash>(seed, 40, 800);
    run_random_operations<BadHash>(seed, 150, 2000);  // more of one hash than a leaf has room for
    run_random_operations<SameUpperBits>(seed, 100, 800);
  }
}

// Equal contents are visited in the same order, however they came about.
TEST(PersistentMap, HasAShapeThatDependsOnItsContentsAlone) {
  std::mt19937 random(3);
  for (const int count : {1, 5, 16, 17, 40, 600, 3000}) {
    std::vector<int> keys(static_cast<std::size_t>(count) * 2);
    std::iota(keys.begin(), keys.end(), 0);
    PersistentMap<int, int> grown;
    for (int key = 0; key < count; ++key) grown = grown.set(key, key);
    PersistentMap<int, int> shrunk;
    std::ranges::shuffle(keys, random);
    for (const int key : keys) shrunk = shrunk.set(key, key);
    std::ranges::shuffle(keys, random);
    for (const int key : keys)
      if (key >= count) shrunk = shrunk.erase(key);
    const auto order = [](const PersistentMap<int, int>& map) {
      std::vector<int> visited;
      map.for_each([&](int key, int) { visited.push_back(key); });
      return visited;
    };
    EXPECT_EQ(order(grown), order(shrunk)) << count;
    EXPECT_EQ(shrunk.size(), static_cast<std::size_t>(count));
  }
}

// What only a version holds goes with it, and nothing that another one shares.
TEST(PersistentMap, LetsGoOfWhatNoVersionHolds) {
  const auto value = std::make_shared<int>(1);
  {
    PersistentMap<int, std::shared_ptr<int>> map;
    for (int key = 0; key < 500; ++key) map = map.set(key, value);
    const auto kept = map;
    for (int key = 0; key < 500; key += 2) map = map.erase(key);
    map = {};
    EXPECT_EQ(kept.size(), 500U);
    EXPECT_GE(value.use_count(), 501);
  }
  EXPECT_EQ(value.use_count(), 1);
}

TEST(PersistentMap, FindsStringsByView) {
  const auto map = PersistentMap<std::string, int>().set("web", 1).set("db", 2);
  ASSERT_NE(map.find(std::string_view("web")), nullptr);
  EXPECT_EQ(*map.find(std::string_view("db")), 2);
  EXPECT_EQ(map.find(std::string_view("mail")), nullptr);
}

TEST(PersistentMap, ErasingWhatIsNotThereChangesNothing) {
  const auto map = PersistentMap<int, int>().set(1, 1);
  EXPECT_EQ(map.erase(2).size(), 1U);
  EXPECT_TRUE(map.erase(1).empty());
  EXPECT_EQ(map.erase(1).find(1), nullptr);
}

}  // namespace
}  // namespace vireo
