// What survives a simulated daemon, and the store that a daemon's life works on. Rows live in memory; a commit takes
// virtual time and may fail; commits become durable in the order in which they were asked for. When a daemon is killed,
// chance decides how many of those under way had reached the disk.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "base/wake.hpp"
#include "ports/definition_store.hpp"
#include "tests/histories/dice.hpp"

namespace vireo::tests {

struct Rows {
  std::map<Uuid, ports::StoredDefinition> definitions;
  std::map<int, ports::RunRecord> runs;
  std::set<int> stuck;  // runs that could not be removed: the next daemon does it
  int next_id = 1;
  std::string boot_id;
  std::string broken;  // what a real database would have refused or torn
};

class DurableStore final : public ports::DefinitionStore {
 public:
  // How often a commit fails, and is acknowledged though it is not written: once in so many times; 0: never.
  struct Faults {
    int fails_one_in = 0, lies_one_in = 0;
  };
  DurableStore(Rows& rows, Dice& dice, Faults faults) : rows_(rows), dice_(dice), faults_(faults) {}

  // The daemon ends in peace: all that is under way is written.
  void finish();
  // The daemon is killed: some of what is under way, from the front, is on the disk.
  void crash();

  Result<ports::StoredState> load(const std::string& boot_id) override;
  asio::awaitable<Result<void>> save_definition(ports::StoredDefinition definition) override;
  asio::awaitable<Result<void>> remove_definition(Uuid uuid) override;
  asio::awaitable<Result<void>> save_run(ports::RunRecord run) override;
  asio::awaitable<Result<void>> save_run_state(int id, int state, int reason) override;
  asio::awaitable<Result<void>> save_boot(model::BootTimesPtr times) override;
  asio::awaitable<Result<void>> remove_run(int id) override;
  asio::awaitable<Result<int>> reserve_ids(int count) override;

 private:
  struct Commit {
    std::move_only_function<void(Rows&)> change;
    SteadyClock::time_point due;
    bool fails = false, lost = false, done = false;
  };
  asio::awaitable<Result<void>> commit(std::move_only_function<void(Rows&)> change);
  void write_what_is_due();
  void write_first();

  Rows& rows_;
  Dice& dice_;
  const Faults faults_;
  std::deque<std::shared_ptr<Commit>> under_way_;
};

}  // namespace vireo::tests
