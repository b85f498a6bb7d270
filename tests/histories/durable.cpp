// Commits, and the rows that they change.
#include "tests/histories/durable.hpp"

namespace vireo::tests {

asio::awaitable<Result<void>> DurableStore::commit(std::move_only_function<void(Rows&)> change) {
  auto mine = std::make_shared<Commit>();
  mine->change = std::move(change);
  mine->fails = faults_.fails_one_in > 0 && dice_.one_in(faults_.fails_one_in);
  mine->lost = faults_.lies_one_in > 0 && dice_.one_in(faults_.lies_one_in);
  mine->due = SteadyClock::now() + dice_.span(2000);
  if (!under_way_.empty()) mine->due = std::max(mine->due, under_way_.back()->due);
  under_way_.push_back(mine);
  Wake written(co_await asio::this_coro::executor);
  co_await written.wait(Deadline::at(mine->due));
  write_what_is_due();
  if (!mine->done) co_return fail(VIR_ERR_OPERATION_TIMEOUT, "the simulated disk does not answer");
  if (mine->fails) co_return fail(VIR_ERR_INTERNAL_ERROR, "the simulated disk is full");
  co_return Result<void>{};
}

void DurableStore::write_what_is_due() {
  while (!under_way_.empty() && under_way_.front()->due <= SteadyClock::now()) write_first();
}

void DurableStore::write_first() {
  const auto first = std::move(under_way_.front());
  under_way_.pop_front();
  if (!first->fails && !first->lost) first->change(rows_);
  first->done = true;
}

void DurableStore::finish() {
  while (!under_way_.empty()) write_first();
}

void DurableStore::crash() {
  while (!under_way_.empty() && dice_.one_in(2)) write_first();
  under_way_.clear();
}

asio::awaitable<Result<void>> DurableStore::save_definition(ports::StoredDefinition entry) {
  return commit([entry = std::move(entry)](Rows& rows) {
    const auto& def = *entry.definition;
    for (const auto& [uuid, other] : rows.definitions)
      if (uuid != def.uuid && other.definition->name == def.name)
        rows.broken = "two definitions of the name " + def.name + " on the disk";
    rows.definitions.insert_or_assign(def.uuid, entry);
  });
}

asio::awaitable<Result<void>> DurableStore::remove_definition(Uuid uuid) {
  return commit([uuid](Rows& rows) { rows.definitions.erase(uuid); });
}

asio::awaitable<Result<void>> DurableStore::save_run(ports::RunRecord run) {
  return commit([run = std::move(run)](Rows& rows) {
    const auto [row, fresh] = rows.runs.insert_or_assign(run.id, run);
    if (!fresh && !run.process) rows.broken = "two launches recorded under the id " + std::to_string(row->first);
  });
}

asio::awaitable<Result<void>> DurableStore::save_run_state(int id, int state, int reason) {
  return commit([=](Rows& rows) {
    const auto row = rows.runs.find(id);
    if (row == rows.runs.end()) return;
    row->second.state = state;
    row->second.reason = reason;
  });
}

asio::awaitable<Result<void>> DurableStore::save_boot(model::BootTimesPtr times) {
  return commit([times = std::move(times)](Rows& rows) {
    if (const auto row = rows.runs.find(times->id); row != rows.runs.end()) row->second.boot = times;
  });
}

asio::awaitable<Result<void>> DurableStore::remove_run(int id) {
  auto done = co_await commit([id](Rows& rows) { rows.runs.erase(id); });
  if (!done) rows_.stuck.insert(id);
  co_return done;
}

asio::awaitable<Result<int>> DurableStore::reserve_ids(int count) {
  auto first = std::make_shared<int>(0);
  auto done = co_await commit([first, count](Rows& rows) {
    *first = rows.next_id;
    rows.next_id += count;
  });
  if (!done) co_return pass_on(done);
  co_return *first;
}

Result<ports::StoredState> DurableStore::load(const std::string& boot_id) {
  ports::StoredState state;
  state.first_since_boot = std::exchange(rows_.boot_id, boot_id) != boot_id;
  for (const auto& [uuid, entry] : rows_.definitions) state.definitions.push_back(entry);
  for (const auto& [id, run] : rows_.runs) state.runs.push_back(run);
  return state;
}

}  // namespace vireo::tests
