// The database: what is saved comes back, also from a file that an earlier version wrote; a change that fails leaves
// nothing of itself.
#include "persist/sqlite_store.hpp"

#include <gtest/gtest.h>

#include "base/fault.hpp"
#include "base/io_thread.hpp"
#include "base/test_files.hpp"

namespace vireo::persist {
namespace {

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override { core_.start(); }
  void TearDown() override {
    core_.end();
    core_.stop();
  }

  template <class T>
  T run(asio::awaitable<T> call) {
    return asio::co_spawn(core_.executor(), std::move(call), asio::use_future).get();
  }
  std::unique_ptr<SqliteStore> open() { return SqliteStore::open(path_).value(); }

  static ports::RunRecord record(int id) {
    auto live = std::make_shared<model::DomainDef>();
    live->type = model::VirtType::test;
    live->name = "web";
    live->uuid = Uuid::random();
    live->memory_kib = 1024;
    live->os.type = "hvm";
    return {.uuid = live->uuid,
            .name = "web",
            .id = id,
            .monitor_path = "/run/x",
            .boot_id = "boot",
            .live = live,
            .process = ports::ProcessIdentity{.pid = 12, .start_time_ticks = 34, .boot_id = "boot"},
            .images = {{.identity = {.device = 5, .inode = 18446744073709551615ULL}, .shared = false},
                       {.identity = {.device = 6, .inode = 0}, .shared = true}},
            .state = VIR_DOMAIN_PAUSED,
            .reason = VIR_DOMAIN_PAUSED_USER};
  }

  const tests::Folder folder_;
  const std::string path_ = folder_.file("store.db");
  IoThread core_{"core"};
};

TEST_F(StoreTest, ARunComesBackAsItWas) {
  const auto saved = record(7);
  {
    auto store = open();
    ASSERT_TRUE(run(store->save_run(saved)));
  }
  auto state = open()->load("boot");
  ASSERT_TRUE(state);
  ASSERT_EQ(state->runs.size(), 1U);
  const auto& run = state->runs.front();
  EXPECT_EQ(run.uuid, saved.uuid);
  EXPECT_EQ(run.process->pid, 12);
  EXPECT_EQ(run.process->start_time_ticks, 34U);
  EXPECT_EQ(run.state, VIR_DOMAIN_PAUSED);
  ASSERT_EQ(run.images.size(), 2U);
  EXPECT_EQ(run.images[0].identity, saved.images[0].identity);
  EXPECT_FALSE(run.images[0].shared);
  EXPECT_EQ(run.images[1].identity, saved.images[1].identity);
  EXPECT_TRUE(run.images[1].shared);
}

TEST_F(StoreTest, ADatabaseOfTheFirstVersionIsBroughtUp) {
  sqlite3* old = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &old), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(old,
                         "CREATE TABLE runs (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL, name TEXT NOT NULL,"
                         " monitor_path TEXT NOT NULL, boot_id TEXT NOT NULL, xml TEXT NOT NULL, pid INTEGER,"
                         " start_time INTEGER, state INTEGER NOT NULL, reason INTEGER NOT NULL);"
                         "PRAGMA user_version = 1",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(old);
  {
    auto store = open();
    ASSERT_TRUE(run(store->save_run(record(1))));
  }
  EXPECT_EQ(open()->load("boot")->runs.front().images.size(), 2U);
}

TEST_F(StoreTest, AChangeThatFailsLeavesNothing) {
  for (const char* point : {"store.save_process", "store.commit"}) {
    auto store = open();
    {
      fault::Armed armed({.name = point});
      EXPECT_FALSE(run(store->save_run(record(3)))) << point;
      EXPECT_TRUE(armed.hit()) << point;
    }
    EXPECT_TRUE(store->load("boot")->runs.empty()) << point;
    EXPECT_TRUE(run(store->save_run(record(4)))) << "the next change is not harmed by the failure at " << point;
    EXPECT_TRUE(run(store->remove_run(4)));
  }
}

}  // namespace
}  // namespace vireo::persist
