// Pairs of categories: no two guests have the same, and what is given back can be had again.
#include "security/mcs.hpp"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace vireo::security {
namespace {

TEST(Mcs, EveryPairHasOneHolder) {
  McsTable table([](unsigned) { return 5U; });  // always the same start: every claim but the first has to go on
  std::vector<McsTable::Claim> claims;
  std::set<Categories> seen;
  for (int i = 0; i < 5000; ++i) {
    auto claim = table.claim();
    ASSERT_TRUE(claim);
    EXPECT_LT(claim->pair().low, claim->pair().high);
    EXPECT_LT(claim->pair().high, McsTable::kCategories);
    EXPECT_TRUE(seen.insert(claim->pair()).second) << claim->pair().text();
    claims.push_back(std::move(*claim));
  }
  EXPECT_EQ(table.size(), 5000U);
  claims.clear();
  EXPECT_EQ(table.size(), 0U);
}

TEST(Mcs, AllCanBeTakenAndThenItSaysSo) {
  McsTable table([](unsigned below) { return below - 1; });
  std::vector<McsTable::Claim> claims;
  constexpr std::size_t pairs = std::size_t{McsTable::kCategories} * (McsTable::kCategories - 1) / 2;
  for (unsigned low = 0; low < McsTable::kCategories; ++low)
    for (unsigned high = low + 1; high < McsTable::kCategories; ++high)
      if (low != 300 || high != 700) claims.push_back(std::move(*table.claim(Categories{.low = low, .high = high})));
  {
    const auto last = table.claim();
    ASSERT_TRUE(last);
    EXPECT_EQ(last->pair().text(), "c300,c700");
    EXPECT_EQ(table.size(), pairs);
    const auto none = table.claim();
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, VIR_ERR_RESOURCE_BUSY);
  }
  EXPECT_TRUE(table.claim());
}

TEST(Mcs, AGivenPairIsRefusedWhileAGuestHasIt) {
  McsTable table([](unsigned) { return 0U; });
  const Categories pair{.low = 1, .high = 2};
  {
    const auto old = table.inherit(pair), other_record = table.inherit(pair);
    EXPECT_FALSE(table.claim(pair));
  }
  EXPECT_TRUE(table.claim(pair));
}

TEST(Mcs, CategoriesAreReadOffContexts) {
  EXPECT_EQ(categories_in("system_u:system_r:svirt_t:s0:c900,c12"), (Categories{.low = 12, .high = 900}));
  EXPECT_EQ(categories_in("c1,c2"), (Categories{.low = 1, .high = 2}));
  for (const char* none : {"system_u:system_r:svirt_t:s0", "a:b:c:s0:c1", "a:b:c:s0:c1,c1", "a:b:c:s0:c1,c1024", ""})
    EXPECT_FALSE(categories_in(none)) << none;
}

}  // namespace
}  // namespace vireo::security
