// What is a path and what is not, and how its parts are found.
#include "tree/path.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vireo::tree {
namespace {

TEST(Path, IsLettersDigitsAndFourSignsBetweenSlashes) {
  for (const char* good : {"/", "/a", "/local/domain/0", "/A-Z_09@x", "/-", "/@introduceDomain"})
    EXPECT_TRUE(Path::parse(good)) << good;
  for (const char* bad : {"", "a", "a/b", "//", "/a/", "/a//b", "/a b", "/a.b", "/\xc3\xa4", "/a\n", "@releaseDomain"})
    EXPECT_FALSE(Path::parse(bad)) << bad;
  EXPECT_FALSE(Path::parse(std::string_view("/a\0b", 4)));
}

TEST(Path, HasAtMost3072Bytes) {
  EXPECT_TRUE(Path::parse("/" + std::string(max_path - 1, 'x')));
  EXPECT_FALSE(Path::parse("/" + std::string(max_path, 'x')));
}

TEST(Path, KnowsItsPartsItsNameAndItsParent) {
  const auto path = *Path::parse("/local/domain/3");
  std::vector<std::string> parts;
  for (Path::Parts left(path); !left.done();) parts.emplace_back(left.next());
  EXPECT_EQ(parts, (std::vector<std::string>{"local", "domain", "3"}));
  EXPECT_EQ(path.name(), "3");
  EXPECT_EQ(path.parent().text(), "/local/domain");
  EXPECT_EQ(Path::parse("/a")->parent(), Path::root());
  EXPECT_EQ(Path::root().parent(), Path::root());
  EXPECT_EQ(Path::root().name(), "");
  EXPECT_TRUE(Path::Parts(Path::root()).done());
}

TEST(Path, HoldsItselfAndWhatIsBelow) {
  const auto path = *Path::parse("/a/b");
  EXPECT_TRUE(path.holds(path));
  EXPECT_TRUE(path.holds(*Path::parse("/a/b/c")));
  EXPECT_FALSE(path.holds(*Path::parse("/a/bc")));
  EXPECT_FALSE(path.holds(*Path::parse("/a")));
  EXPECT_TRUE(Path::root().holds(path));
}

}  // namespace
}  // namespace vireo::tree
