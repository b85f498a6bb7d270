// Every operation of the tree and every error it can end with, for those who may do everything and those who may not.
#include "tree/store.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace vireo::tree {
namespace {

const Caller nobody_special{.domain = 5}, another{.domain = 6}, privileged{};
constexpr int fine = 0;

Path at(std::string_view text) { return *Path::parse(text); }

template <class T>
int error_of(const Outcome<T>& outcome) {
  return outcome ? fine : outcome.error();
}

Permissions list(std::initializer_list<const char*> entries) {
  Permissions out;
  for (const char* each : entries) out.push_back(*Permission::parse(each));
  return out;
}

struct StoreTest : ::testing::Test {
  Store store;
  std::vector<std::string> told;

  StoreTest() {
    store.listen([this](const Commit& commit) {
      std::string line;
      for (const auto& change : commit.changes)
        line += (line.empty() ? "" : " ") + std::string(1, "wpr"[static_cast<int>(change.kind)]) +
                std::string(change.path.text());
      told.push_back(line);
    });
  }
  std::string value(std::string_view path, Transaction* in = nullptr) {
    const auto read = store.read(privileged, in, at(path));
    return read ? std::string(*read) : "E" + std::to_string(read.error());
  }
  std::string children(std::string_view path, Transaction* in = nullptr) {
    const auto names = store.list(privileged, in, at(path));
    if (!names) return "E" + std::to_string(names.error());
    std::string room, out(names->names(0, names->bytes(), room));
    std::ranges::replace(out, '\0', ' ');
    return out;
  }
  int write(std::string_view path, std::string_view text, Transaction* in = nullptr, Caller caller = {}) {
    return error_of(store.write(caller, in, at(path), text));
  }
};

TEST_F(StoreTest, WriteMakesTheNodeAndItsParents) {
  EXPECT_EQ(write("/a/b/c", "1"), fine);
  EXPECT_EQ(value("/a/b/c"), "1");
  EXPECT_EQ(value("/a/b"), "");
  EXPECT_EQ(children("/a"), "b ");
  EXPECT_EQ(write("/a/b/c", "a longer one"), fine);
  EXPECT_EQ(value("/a/b/c"), "a longer one");
  EXPECT_EQ(write("/", "of the root"), fine);
  EXPECT_EQ(value("/"), "of the root");
  EXPECT_EQ(told, (std::vector<std::string>{"w/a/b/c", "w/a/b/c", "w/"}));
}

TEST_F(StoreTest, MakeLeavesWhatIsThere) {
  EXPECT_EQ(error_of(store.make(privileged, nullptr, at("/a/b"))), fine);
  EXPECT_EQ(write("/a/b", "1"), fine);
  EXPECT_EQ(error_of(store.make(privileged, nullptr, at("/a/b"))), fine);
  EXPECT_EQ(value("/a/b"), "1");
  EXPECT_EQ(told, (std::vector<std::string>{"w/a/b", "w/a/b"}));
}

TEST_F(StoreTest, RemoveTakesAllBelowAndKnowsWhatIsMissing) {
  write("/a/b/c", "1");
  write("/a/d", "2");
  EXPECT_EQ(error_of(store.remove(privileged, nullptr, at("/a/b"))), fine);
  EXPECT_EQ(value("/a/b/c"), "E2");
  EXPECT_EQ(value("/a/b"), "E2");
  EXPECT_EQ(children("/a"), "d ");
  EXPECT_EQ(error_of(store.remove(privileged, nullptr, at("/a/b"))), fine);
  EXPECT_EQ(error_of(store.remove(privileged, nullptr, at("/a/b/c"))), ENOENT);
  EXPECT_EQ(error_of(store.remove(privileged, nullptr, Path::root())), EINVAL);
  EXPECT_EQ(told, (std::vector<std::string>{"w/a/b/c", "w/a/d", "r/a/b"}));
}

TEST_F(StoreTest, ListingsAreSortedAndTheirGenerationSaysWhetherTheyChanged) {
  for (const char* each : {"/a/c", "/a/b", "/a/a", "/a/b/x"}) write(each, "");
  EXPECT_EQ(children("/a"), "a b c ");
  EXPECT_EQ(children("/a/c"), "");
  const auto before = store.list(privileged, nullptr, at("/a"))->generation();
  write("/a/b/x", "below");
  EXPECT_EQ(store.list(privileged, nullptr, at("/a"))->generation(), before);
  write("/a/d", "");
  EXPECT_NE(store.list(privileged, nullptr, at("/a"))->generation(), before);
  EXPECT_EQ(children("/x"), "E2");
}

TEST_F(StoreTest, PermissionsAreInheritedAndTheMakerOwns) {
  write("/a", "");
  EXPECT_EQ(error_of(store.set_permissions(privileged, nullptr, at("/a"), list({"b0", "r6"}))), fine);
  EXPECT_EQ(write("/a/mine/deep", "1", nullptr, nobody_special), fine);
  EXPECT_EQ(**store.permissions(privileged, nullptr, at("/a/mine")), list({"b5", "r6"}));
  EXPECT_EQ(**store.permissions(privileged, nullptr, at("/a/mine/deep")), list({"b5", "r6"}));
  write("/a/from0", "");
  EXPECT_EQ(**store.permissions(privileged, nullptr, at("/a/from0")), list({"b0", "r6"}));
  // Whom the rest of the list names is not among the others.
  EXPECT_EQ(write("/a/mine/deep", "2", nullptr, another), EACCES);
  EXPECT_EQ(error_of(store.read(another, nullptr, at("/a/mine/deep"))), fine);
  EXPECT_EQ(write("/a/mine/deep", "3", nullptr, {.domain = 7}), fine);
}

TEST_F(StoreTest, UnprivilegedDomainsAreRefusedWhatTheyMayNot) {
  store.set_permissions(privileged, nullptr, Path::root(), list({"r0"})).value();
  write("/secret/x", "1");
  write("/shown", "1");
  store.set_permissions(privileged, nullptr, at("/secret"), list({"n0"})).value();
  store.set_permissions(privileged, nullptr, at("/secret/x"), list({"n0"})).value();
  EXPECT_EQ(error_of(store.read(nobody_special, nullptr, at("/secret/x"))), EACCES);
  EXPECT_EQ(error_of(store.list(nobody_special, nullptr, at("/secret"))), EACCES);
  EXPECT_EQ(error_of(store.permissions(nobody_special, nullptr, at("/secret/x"))), EACCES);
  // Nor is it told that there is nothing.
  EXPECT_EQ(error_of(store.read(nobody_special, nullptr, at("/secret/none"))), EACCES);
  EXPECT_EQ(error_of(store.read(nobody_special, nullptr, at("/shown/none"))), ENOENT);
  EXPECT_EQ(write("/shown", "2", nullptr, nobody_special), EACCES);
  EXPECT_EQ(write("/shown/below", "2", nullptr, nobody_special), EACCES);
  EXPECT_EQ(error_of(store.make(nobody_special, nullptr, at("/shown"))), EACCES);
  EXPECT_EQ(error_of(store.remove(nobody_special, nullptr, at("/shown"))), EACCES);
  EXPECT_EQ(error_of(store.set_permissions(nobody_special, nullptr, at("/shown"), list({"b5"}))), EACCES);
  EXPECT_EQ(told.size(), 5U);
}

TEST_F(StoreTest, OnlyOwnersSetPermissionsAndOnlyThePrivilegedGiveAway) {
  write("/a", "");
  store.set_permissions(privileged, nullptr, at("/a"), list({"b5"})).value();
  EXPECT_EQ(error_of(store.set_permissions(another, nullptr, at("/a"), list({"b6"}))), EACCES);
  EXPECT_EQ(error_of(store.set_permissions(nobody_special, nullptr, at("/a"), list({"b6"}))), EPERM);
  EXPECT_EQ(error_of(store.set_permissions(nobody_special, nullptr, at("/a"), list({"n5", "r6"}))), fine);
  EXPECT_EQ(error_of(store.set_permissions(privileged, nullptr, at("/a"), list({"n6"}))), fine);
  EXPECT_EQ(error_of(store.set_permissions(privileged, nullptr, at("/none"), list({"n6"}))), ENOENT);
  EXPECT_EQ(error_of(store.set_permissions(privileged, nullptr, at("/a"), {})), EINVAL);
}

TEST_F(StoreTest, WhoTargetsADomainHasItsRights) {
  write("/a", "");
  store.set_permissions(privileged, nullptr, at("/a"), list({"n5"})).value();
  EXPECT_EQ(write("/a", "1", nullptr, {.domain = 9}), EACCES);
  EXPECT_EQ(write("/a", "1", nullptr, {.domain = 9, .target = 5}), fine);
}

TEST_F(StoreTest, GuardedPartsAreReadOnlyButNotToTheirKeeper) {
  store.guard([](const Store::Wish& wish) { return at("/kept").holds(wish.path) ? EROFS : fine; });
  store.keep([](Store::Keeper& keeper) {
    keeper.write(at("/kept/a"), "1");
    keeper.write(at("/kept/b"), "2");
    keeper.set_permissions(at("/kept/b"), list({"n0", "r5"}));
    keeper.remove(at("/none"));
  });
  EXPECT_EQ(told, (std::vector<std::string>{"w/kept/a w/kept/b p/kept/b"}));
  EXPECT_EQ(write("/kept/a", "3"), EROFS);
  EXPECT_EQ(error_of(store.make(privileged, nullptr, at("/kept/c"))), EROFS);
  EXPECT_EQ(error_of(store.remove(privileged, nullptr, at("/kept"))), EROFS);
  EXPECT_EQ(error_of(store.set_permissions(privileged, nullptr, at("/kept/a"), list({"b0"}))), EROFS);
  auto transaction = store.begin(privileged);
  EXPECT_EQ(write("/kept/a", "3", transaction.get()), EROFS);
  EXPECT_EQ(value("/kept/a"), "1");
}

TEST_F(StoreTest, LimitsBindWhoOwnsWhatTheyMake) {
  *store.quotas().find(5, "nodes") = 3;
  *store.quotas().find(5, "node-size") = 100;
  *store.quotas().find(5, "permissions") = 2;
  write("/a", "");
  store.set_permissions(privileged, nullptr, at("/a"), list({"b0"})).value();
  EXPECT_EQ(write("/a/1/2", "", nullptr, nobody_special), fine);
  EXPECT_EQ(write("/a/3/4", "", nullptr, nobody_special), ENOSPC);
  EXPECT_EQ(value("/a/3"), "E2");
  EXPECT_EQ(write("/a/3", std::string(99, 'x'), nullptr, nobody_special), ENOSPC);
  EXPECT_EQ(write("/a/3", "", nullptr, nobody_special), fine);
  EXPECT_EQ(write("/a/3", std::string(99, 'x'), nullptr, nobody_special), ENOSPC);
  EXPECT_EQ(error_of(store.set_permissions(nobody_special, nullptr, at("/a/3"), list({"n5", "r1", "r2"}))), ENOSPC);
  // What is gone counts no more, however much it was.
  EXPECT_EQ(error_of(store.remove(nobody_special, nullptr, at("/a/1"))), fine);
  EXPECT_EQ(write("/a/1/2", "", nullptr, nobody_special), fine);
  EXPECT_EQ(write("/a/5", "", nullptr, nobody_special), ENOSPC);
  EXPECT_EQ(write("/a/5", "", nullptr, privileged), fine);
  *store.quotas().find(5, "nodes") = 0;
  EXPECT_EQ(write("/a/6", "", nullptr, nobody_special), fine);
}

TEST_F(StoreTest, MemoryIsBoundedToo) {
  *store.quotas().find(5, "memory") = 1'000;
  write("/a", "");
  store.set_permissions(privileged, nullptr, at("/a"), list({"b0"})).value();
  EXPECT_EQ(write("/a/1", std::string(500, 'x'), nullptr, nobody_special), fine);
  EXPECT_EQ(write("/a/2", std::string(500, 'x'), nullptr, nobody_special), ENOSPC);
  EXPECT_EQ(write("/a/1", std::string(1'000, 'x'), nullptr, nobody_special), ENOSPC);
  EXPECT_EQ(write("/a/1", "", nullptr, nobody_special), fine);
  EXPECT_EQ(write("/a/2", std::string(500, 'x'), nullptr, nobody_special), fine);
}

TEST_F(StoreTest, AValueIsNoLongerThanAMessage) {
  EXPECT_EQ(write("/a", std::string(Node::max_value, 'x')), fine);
  EXPECT_EQ(write("/a", std::string(Node::max_value + 1, 'x')), EINVAL);
}

TEST_F(StoreTest, WhatADomainHasIsCountedAlsoAfterLargeRemovals) {
  for (int i = 0; i < 1'000; ++i) write("/a/" + std::to_string(i % 10) + "/" + std::to_string(i), "v");
  EXPECT_EQ(store.accounts().of(0).nodes, 1 + 1 + 10 + 1'000);
  store.set_permissions(privileged, nullptr, at("/a/3"), list({"n5"})).value();
  EXPECT_EQ(store.accounts().of(5).nodes, 1);
  EXPECT_EQ(error_of(store.remove(privileged, nullptr, at("/a"))), fine);
  EXPECT_GT(store.accounts().of(0).nodes, 1);
  EXPECT_EQ(store.usage_of(0).nodes, 1);
  while (store.tidy(50)) {
  }
  EXPECT_EQ(store.accounts().of(0).nodes, 1);
  EXPECT_EQ(store.accounts().of(5).nodes, 0);
  EXPECT_EQ(store.accounts().of(5).bytes, 0);
}

}  // namespace
}  // namespace vireo::tree
