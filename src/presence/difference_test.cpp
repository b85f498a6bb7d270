// From one description to the next: what is written, and what is left alone.
#include "presence/difference.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace vireo::presence {
namespace {

using Nodes = std::vector<GuestNode>;

std::vector<std::string> told(const Nodes& old_nodes, const Nodes& new_nodes) {
  std::vector<std::string> out;
  for (const auto& step : difference(old_nodes, new_nodes)) {
    if (step.kind == Step::Kind::write) out.push_back(step.node->path + " = " + step.node->value);
    if (step.kind == Step::Kind::permit)
      out.push_back(step.node->path + " for " + step.node->permissions->front().text());
    if (step.kind == Step::Kind::remove) out.push_back("no " + step.node->path);
  }
  return out;
}
using Told = std::vector<std::string>;

TEST(Difference, OnlyWhatChanged) {
  const Nodes was{{"/a", ""}, {"/a/b", "1"}, {"/a/c", "2"}};
  EXPECT_EQ(told(was, was), Told{});
  EXPECT_EQ(told(was, {{"/a", ""}, {"/a/b", "1"}, {"/a/c", "3"}, {"/a/d", ""}}), (Told{"/a/c = 3", "/a/d = "}));
}

TEST(Difference, PermissionsAreSetWhereTheyAreSaid) {
  const GuestNode mine{.path = "/a", .value = "", .permissions = tree::Permissions{{.domain = 7}}};
  const GuestNode yours{.path = "/a", .value = "", .permissions = tree::Permissions{{.domain = 8}}};
  EXPECT_EQ(told({}, {mine, {"/a/b", "1"}}), (Told{"/a = ", "/a for n7", "/a/b = 1"}));
  EXPECT_EQ(told({mine}, {mine}), Told{});
  EXPECT_EQ(told({mine}, {yours}), Told{"/a for n8"});
}

TEST(Difference, ARemovedFolderStandsForWhatIsInIt) {
  const Nodes was{{"/a", ""}, {"/a/b", ""}, {"/a/b/c", "1"}, {"/a/b-d", "2"}, {"/a/e", "3"}};
  EXPECT_TRUE(std::ranges::is_sorted(was, before, &GuestNode::path));
  EXPECT_EQ(told(was, {{"/a", ""}, {"/a/e", "3"}}), (Told{"no /a/b", "no /a/b-d"}));
  EXPECT_EQ(told(was, {}), Told{"no /a"});
}

}  // namespace
}  // namespace vireo::presence
