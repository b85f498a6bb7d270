// Patterns of names.
#include "model/glob.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace vireo::model {
namespace {

TEST(Glob, StarsAndQuestionMarks) {
  for (const auto* name : {"web-", "web-1", "web-*", "web-a-b"}) EXPECT_TRUE(glob_matches("web-*", name)) << name;
  for (const auto* name : {"web", "Web-1", "a-web-1", ""}) EXPECT_FALSE(glob_matches("web-*", name)) << name;
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_FALSE(glob_matches("", "a"));
  EXPECT_TRUE(glob_matches("*a*b*", "xxaxbx"));
  EXPECT_FALSE(glob_matches("*a*b", "xxaxbx"));
  EXPECT_TRUE(glob_matches("a?c", "abc"));
  EXPECT_FALSE(glob_matches("a?c", "ac"));
}

TEST(Glob, Sets) {
  EXPECT_TRUE(glob_matches("web-[0-9]", "web-7"));
  EXPECT_FALSE(glob_matches("web-[0-9]", "web-x"));
  EXPECT_TRUE(glob_matches("web-[!0-9]", "web-x"));
  EXPECT_FALSE(glob_matches("web-[!0-9]", "web-7"));
  EXPECT_TRUE(glob_matches("[]a]", "]"));
  EXPECT_TRUE(glob_matches("[a-]", "-"));
  EXPECT_TRUE(glob_matches("*[13]", "web-13"));
  EXPECT_TRUE(glob_matches("a[", "a[")) << "never closed: itself";
  EXPECT_TRUE(glob_matches("[\\]]", "]"));
}

TEST(Glob, ABackslashMakesItPlain) {
  EXPECT_TRUE(glob_matches("a\\*", "a*"));
  EXPECT_FALSE(glob_matches("a\\*", "ab"));
  EXPECT_TRUE(glob_matches("a\\", "a\\"));
}

TEST(Glob, IsQuickWhateverThePattern) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "a*";
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(glob_matches(pattern + "b", std::string(250, 'a')));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(1));
}

}  // namespace
}  // namespace vireo::model
