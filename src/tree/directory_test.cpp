// A directory beside a plain map, through many changes; what is shared stays as it was.
#include "tree/directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

namespace vireo::tree {
namespace {

NodeRef named(const std::string& name) {
  const PermissionsRef anyone(new SharedPermissions({{.domain = 0, .rights = Rights::read}}));
  return Node::create(name, "v", anyone, 1);
}

std::string listed(const std::set<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += name + '\0';
  return out;
}

// All names, by parts of at most so many bytes.
std::string in_parts(const Directory& directory, std::size_t most) {
  std::string all, room;
  for (;;) {
    const auto part = directory.names(all.size(), most, room);
    if (part.empty()) return all;
    EXPECT_LE(part.size(), most);
    EXPECT_TRUE(part.ends_with('\0'));
    all += part;
  }
}

std::set<std::string> split(std::string_view names) {
  std::set<std::string> out;
  for (; !names.empty(); names.remove_prefix(names.find('\0') + 1)) out.emplace(names.substr(0, names.find('\0')));
  return out;
}

void expect_same(const Directory& directory, const std::set<std::string>& model) {
  ASSERT_EQ(directory.size(), model.size());
  ASSERT_EQ(directory.names_bytes(), listed(model).size());
  const auto all = in_parts(directory, 100'000);
  ASSERT_EQ(split(all), model);
  ASSERT_EQ(all.size(), listed(model).size());
  ASSERT_EQ(in_parts(directory, 50), all);
  // From within a name, too.
  std::string room;
  if (all.size() > 40) ASSERT_EQ(directory.names(all.size() - 33, 100, room), all.substr(all.size() - 33));
  if (model.size() < 500) ASSERT_EQ(all, listed(model)) << "the order of the alphabet";
  for (const auto& name : model) {
    const Node* node = directory.find(name);
    ASSERT_NE(node, nullptr) << name;
    ASSERT_EQ(node->name(), name);
  }
  EXPECT_EQ(directory.find("no such child"), nullptr);
}

TEST(Directory, HoldsWhatWasPutIntoItThroughManyChanges) {
  std::mt19937 dice(7);
  for (const int names : {3, 20, 40, 3'000}) {
    auto directory = Ref(new Directory);
    std::set<std::string> model;
    for (int step = 0; step < 4 * names + 100; ++step) {
      // Some are each other's beginning, and some differ late.
      const auto number = dice() % static_cast<unsigned>(names);
      const auto name = (number % 3 == 0 ? "n" : "n-with-more-") + std::to_string(number);
      if (model.insert(name).second) {
        directory->insert(named(name));
      } else {
        const auto gone = directory->erase(name);
        ASSERT_EQ(gone->name(), name);
        model.erase(name);
      }
      if (step % (names / 3 + 1) == 0) expect_same(*directory, model);
    }
    while (!model.empty()) {
      directory->erase(*model.begin());
      model.erase(model.begin());
    }
    expect_same(*directory, model);
    EXPECT_FALSE(directory->top());
  }
}

TEST(Directory, ThatSomebodyElseHoldsStaysAsItWas) {
  auto directory = Ref(new Directory);
  std::set<std::string> model;
  for (int i = 0; i < 500; ++i) {
    directory->insert(named("n" + std::to_string(i)));
    model.insert("n" + std::to_string(i));
  }
  const auto kept = Ref(new Directory(*directory));
  for (int i = 0; i < 500; i += 2) directory->erase("n" + std::to_string(i));
  for (int i = 500; i < 700; ++i) directory->insert(named("n" + std::to_string(i)));
  NodeRef& slot = *directory->slot("n1");
  Node::own(slot);
  Node::set_value(slot, "other", 2);
  expect_same(*kept, model);
  EXPECT_EQ(kept->find("n1")->value(), "v");
  EXPECT_EQ(directory->find("n1")->value(), "other");
}

TEST(Directory, TellsWhetherTwoVersionsHaveTheSameNames) {
  for (const int size : {1, 10, 20, 5'000}) {
    const auto before = Ref(new Directory);
    for (int i = 0; i < size; ++i) before->insert(named("n" + std::to_string(i)));
    const auto after = Ref(new Directory(*before));
    EXPECT_TRUE(before->has_same_names(*after));
    NodeRef& slot = *after->slot("n0");
    Node::own(slot);
    Node::set_value(slot, "other", 2);
    EXPECT_TRUE(before->has_same_names(*after)) << "values are no names";
    after->insert(named("more"));
    EXPECT_FALSE(before->has_same_names(*after));
    after->erase("n0");
    EXPECT_FALSE(before->has_same_names(*after)) << "as many, but others";
    EXPECT_FALSE(after->has_same_names(*before));
    after->erase("more");
    after->insert(named("n0"));
    EXPECT_TRUE(before->has_same_names(*after));
    EXPECT_TRUE(after->has_same_names(*before));
    // The same names put there in another order, and a shape that is another one.
    const auto fresh = Ref(new Directory);
    for (int i = size; i-- > 0;) fresh->insert(named("n" + std::to_string(i)));
    EXPECT_TRUE(before->has_same_names(*fresh));
    for (int i = 0; i < 200; ++i) fresh->insert(named("x" + std::to_string(i)));
    for (int i = 0; i < 200; ++i) fresh->erase("x" + std::to_string(i));
    EXPECT_TRUE(before->has_same_names(*fresh));
    EXPECT_TRUE(fresh->has_same_names(*before));
  }
}

TEST(Directory, GivesNoPlaceToWhatIsNotThere) {
  auto directory = Ref(new Directory);
  EXPECT_EQ(directory->slot("a"), nullptr);
  directory->insert(named("a"));
  EXPECT_NE(directory->slot("a"), nullptr);
  EXPECT_EQ(directory->slot("b"), nullptr);
}

TEST(Limbo, FreesStepByStep) {
  auto& limbo = Limbo::of_this_thread();
  while (limbo.release(1'000)) {
  }
  auto directory = Ref(new Directory);
  for (int i = 0; i < 1'000; ++i) directory->insert(named("n" + std::to_string(i)));
  while (limbo.release(1'000)) {
  }
  directory = {};
  EXPECT_EQ(limbo.waiting(), 1U);
  int steps = 0;
  while (limbo.release(100)) ++steps;
  EXPECT_GE(steps, 10);
  EXPECT_EQ(limbo.waiting(), 0U);
}

}  // namespace
}  // namespace vireo::tree
