// Claims: one holder, or many that share; destruction gives back.
#include "core/claims.hpp"

#include <gtest/gtest.h>

namespace vireo::core {
namespace {

TEST(Claims, OneHolderAtATime) {
  Claims<int> table;
  {
    auto first = table.claim(1, "web");
    ASSERT_TRUE(first);
    const auto second = table.claim(1, "db");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error(), "web");
    EXPECT_TRUE(table.claim(2, "db"));
  }
  EXPECT_EQ(table.size(), 0U);
  EXPECT_TRUE(table.claim(1, "db"));
}

TEST(Claims, SharingNeedsBothSides) {
  Claims<std::string> table;
  auto first = std::make_optional(std::move(*table.claim("disk", "web", Sharing::WithOthersThatShare)));
  EXPECT_FALSE(table.claim("disk", "db"));
  auto second = std::make_optional(std::move(*table.claim("disk", "db", Sharing::WithOthersThatShare)));
  first.reset();
  const auto third = table.claim("disk", "mail");
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error(), "db");
  second.reset();
  EXPECT_EQ(table.size(), 0U);
}

TEST(Claims, TheSameHolderTwiceIsTwoClaims) {
  Claims<int> table;
  auto first = std::make_optional(std::move(*table.claim(1, "web", Sharing::WithOthersThatShare)));
  auto second = table.claim(1, "web", Sharing::WithOthersThatShare);
  first.reset();
  EXPECT_FALSE(table.claim(1, "db")) << "the second still holds it";
}

TEST(Claims, AnyIsTheLowestThatIsFreeAndUsable) {
  Claims<int> table;
  auto taken = table.claim(5900, "web");
  auto any = table.claim_any(5900, 5910, "db", [](int port) { return port != 5901; });
  ASSERT_TRUE(any);
  EXPECT_EQ(any->key(), 5902);
  EXPECT_FALSE(table.claim_any(5900, 5900, "mail", [](int) { return true; }));
}

TEST(Claims, MayOutliveTheirTable) {
  auto table = std::make_optional<Claims<int>>();
  auto claim = table->claim(1, "web");
  table.reset();
}

}  // namespace
}  // namespace vireo::core
