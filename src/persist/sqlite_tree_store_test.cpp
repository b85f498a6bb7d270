// The database of the tree: batches come back as the nodes that they lead to, one that fails leaves nothing of itself.
#include "persist/sqlite_tree_store.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/fault.hpp"
#include "base/test_files.hpp"

namespace vireo::persist {
namespace {

using Durable = SqliteTreeStore::Durable;
using Nodes = std::vector<std::string>;

class TreeStoreTest : public ::testing::Test {
 protected:
  void open() {
    store_.reset();
    store_ = SqliteTreeStore::open(path_, Durable::at_once).value();
  }
  static ports::StoredNode node(std::string path, std::string value, std::string permissions = "n0") {
    return {.path = std::move(path), .value = std::move(value), .permissions = std::move(permissions)};
  }
  Result<void> append(const ports::TreeBatch& batch) {
    bool given = false;
    return store_->append([&](ports::TreeBatch& part) {
      part = batch;
      return !std::exchange(given, true);
    });
  }
  // "PATH=VALUE PERMISSIONS" in the order of loading.
  Nodes loaded() {
    Nodes nodes;
    const auto done = store_->load([&nodes](const ports::StoredNode& each) {
      nodes.push_back(each.path + "=" + each.value + " " + each.permissions);
    });
    EXPECT_TRUE(done);
    return nodes;
  }

  const tests::Folder folder_;
  const std::string path_ = folder_.file("tree.db");
  std::unique_ptr<SqliteTreeStore> store_;
};

TEST_F(TreeStoreTest, WhatWasAppendedIsThereAfterwards) {
  open();
  const std::string bytes("\0\xff\n", 3);
  ASSERT_TRUE(append({.written = {node("/a/b", bytes, "n3 r0 b5"), node("/a", ""), node("/", "top")}}));
  ASSERT_TRUE(append({.written = {node("/a/b", "2", "n3 r0 b5"), node("/a-b", "1")}}));
  ASSERT_TRUE(append({.written = {node("/c", bytes)}}));
  open();
  EXPECT_EQ(loaded(), (Nodes{"/=top n0", "/a= n0", "/a-b=1 n0", "/a/b=2 n3 r0 b5", "/c=" + bytes + " n0"}));
}

TEST_F(TreeStoreTest, PermissionsAloneAreAChange) {
  open();
  ASSERT_TRUE(append({.written = {node("/a", "1")}}));
  ASSERT_TRUE(append({.written = {node("/a", "1", "r0")}}));
  EXPECT_EQ(loaded(), (Nodes{"/a=1 r0"}));
}

TEST_F(TreeStoreTest, ARemovalTakesWhatIsBelowAndNothingBeside) {
  open();
  ASSERT_TRUE(append({.written = {node("/a", ""), node("/a/b", ""), node("/a/b/c", ""), node("/a-b", ""),
                                  node("/a0", ""), node("/ab", ""), node("/a_", ""), node("/A/b", "")}}));
  // The removals come first: what was made anew stays.
  ASSERT_TRUE(append({.removed = {"/a", "/a/b", "/never"}, .written = {node("/a", "again")}}));
  EXPECT_EQ(loaded(), (Nodes{"/A/b= n0", "/a=again n0", "/a-b= n0", "/a0= n0", "/a_= n0", "/ab= n0"}));
  ASSERT_TRUE(append({.removed = {"/"}, .written = {node("/x", "")}}));
  EXPECT_EQ(loaded(), (Nodes{"/x= n0"}));
}

TEST_F(TreeStoreTest, ABatchThatFailsLeavesNothing) {
  open();
  ASSERT_TRUE(append({.written = {node("/a", "1")}}));
  const ports::TreeBatch batch{.removed = {"/a"}, .written = {node("/b", "2")}};
  for (const char* point : {"tree.append", "tree.commit"}) {
    {
      const fault::Armed armed({.name = point});
      EXPECT_FALSE(append(batch)) << point;
      EXPECT_TRUE(armed.hit()) << point;
    }
    EXPECT_EQ(loaded(), (Nodes{"/a=1 n0"})) << point;
  }
  ASSERT_TRUE(append(batch));
  ASSERT_TRUE(append(batch)) << "once more";
  EXPECT_EQ(loaded(), (Nodes{"/b=2 n0"}));
}

TEST_F(TreeStoreTest, ABatchOfManyPartsIsOneTransaction) {
  open();
  const auto parts = [this](int last) {
    int number = 0;
    return store_->append([&number, last](ports::TreeBatch& part) {
      EXPECT_TRUE(part.removed.empty() && part.written.empty());
      if (number == 0) part.removed.emplace_back("/");
      part.written.push_back(node("/" + std::to_string(number), ""));
      return ++number <= last;
    });
  };
  ASSERT_TRUE(parts(3));
  EXPECT_EQ(loaded(), (Nodes{"/0= n0", "/1= n0", "/2= n0"}));
  const fault::Armed armed({.name = "tree.commit"});
  EXPECT_FALSE(parts(2));
  EXPECT_EQ(loaded(), (Nodes{"/0= n0", "/1= n0", "/2= n0"}));
}

TEST_F(TreeStoreTest, AFileOfAnotherKindIsRefusedByName) {
  open();
  store_.reset();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "PRAGMA user_version = 2", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  auto newer = SqliteTreeStore::open(path_, Durable::soon);
  ASSERT_FALSE(newer);
  EXPECT_NE(newer.error().detail.find(path_ + "' was written by a newer Vireo"), std::string::npos);
  std::filesystem::remove(path_);
  std::FILE* file = std::fopen(path_.c_str(), "w");
  std::fputs("these are no rows of any kind, and long enough to be taken for a header of a file", file);
  std::fclose(file);
  auto strange = SqliteTreeStore::open(path_, Durable::soon);
  ASSERT_FALSE(strange);
  EXPECT_NE(strange.error().detail.find(path_), std::string::npos) << strange.error().detail;
}

}  // namespace
}  // namespace vireo::persist
