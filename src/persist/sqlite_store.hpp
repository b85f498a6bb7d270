// The DefinitionStore on SQLite: one file in WAL mode, written by one thread. Changes that arrive while a commit is on
// its way to the disk are committed together in the next one, so a storm of defines costs few syncs; each answers after
// the commit that holds it (synchronous=FULL). XML is made on that thread, not on the core's.
#pragma once

#include <sqlite3.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/counted_mutex.hpp"
#include "base/wake.hpp"
#include "persist/database.hpp"
#include "ports/definition_store.hpp"

namespace vireo::persist {

class SqliteStore final : public ports::DefinitionStore {
 public:
  // Opens or creates the file; ":memory:" keeps everything in memory. Error: VIR_ERR_INTERNAL_ERROR naming the file,
  // also when it was written by a newer Vireo.
  static Result<std::unique_ptr<SqliteStore>> open(const std::string& path);
  ~SqliteStore() override { stop(); }
  // Writes what is queued, then ends. Must have happened before the executors of waiting coroutines go.
  void stop();

  Result<ports::StoredState> load(const std::string& boot_id) override;
  asio::awaitable<Result<void>> save_definition(ports::StoredDefinition definition) override;
  asio::awaitable<Result<void>> remove_definition(Uuid uuid) override;
  asio::awaitable<Result<void>> save_run(ports::RunRecord run) override;
  asio::awaitable<Result<void>> save_run_state(int id, int state, int reason) override;
  asio::awaitable<Result<void>> save_boot(model::BootTimesPtr times) override;
  asio::awaitable<Result<void>> remove_run(int id) override;
  asio::awaitable<Result<int>> reserve_ids(int count) override;

  // Commits so far: with the number of changes, it tells how well they are grouped.
  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }

 private:
  using Change = std::move_only_function<Result<void>(sqlite3*)>;
  struct Job;

  explicit SqliteStore(Database db);
  // Queues the change and waits until it is durable.
  asio::awaitable<Result<void>> commit(const char* point, Change change);
  void write_until_stopped();
  void write_group(std::deque<std::shared_ptr<Job>>& group);

  Database db_;
  std::atomic<std::uint64_t> commits_{0};
  CountedMutex mutex_{"store queue"};  // guards queue_ and stopping_
  std::condition_variable_any arrived_;
  std::deque<std::shared_ptr<Job>> queue_;
  bool stopping_ = false;
  std::thread writer_;
};

}  // namespace vireo::persist
