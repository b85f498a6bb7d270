// Schema, group commit, and the rows.
#include "persist/sqlite_store.hpp"

#include <cinttypes>
#include <cstdio>
#include <sstream>

#include "base/fault.hpp"
#include "base/log.hpp"
#include "persist/statement.hpp"
#include "xml/domain.hpp"

namespace vireo::persist {
namespace {

// 2: runs.images.
constexpr Format format{.what = "the database of definitions", .version = 2};

// runs.pid is null until a process has been recorded: such a row is an intent.
constexpr const char* schema = R"(
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS definitions (
    uuid TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, xml TEXT NOT NULL, autostart INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY, uuid TEXT NOT NULL, name TEXT NOT NULL, monitor_path TEXT NOT NULL, boot_id TEXT NOT NULL,
    xml TEXT NOT NULL, pid INTEGER, start_time INTEGER, state INTEGER NOT NULL, reason INTEGER NOT NULL,
    images TEXT NOT NULL DEFAULT '');
  CREATE TABLE IF NOT EXISTS boots (
    id INTEGER PRIMARY KEY, began_us INTEGER NOT NULL, paused INTEGER NOT NULL, process_us INTEGER,
    running_us INTEGER, up_us INTEGER, up_by INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  INSERT OR IGNORE INTO facts VALUES ('next_id', '1'), ('boot_id', '');
)";

// "DEVICE:INODE" of each image, with an "s" behind it where others share it, and spaces between.
std::string format_images(const std::vector<ports::ClaimedImage>& images) {
  std::string text;
  for (const auto& image : images)
    text += fmt::format("{}{}:{}{}", text.empty() ? "" : " ", image.identity.device, image.identity.inode,
                        image.shared ? "s" : "");
  return text;
}

std::vector<ports::ClaimedImage> parse_images(const std::string& text) {
  std::vector<ports::ClaimedImage> images;
  std::istringstream words(text);
  std::string word;
  while (words >> word) {
    ports::ClaimedImage image{.identity = {}, .shared = word.ends_with('s')};
    if (std::sscanf(word.c_str(), "%" SCNu64 ":%" SCNu64, &image.identity.device, &image.identity.inode) == 2)
      images.push_back(image);
  }
  return images;
}

Result<model::DomainDefPtr> read_xml(const std::string& text, bool live) {
  auto parsed = xml::parse_domain(text, {.live = live});
  if (!parsed) return pass_on(parsed);
  return std::make_shared<const model::DomainDef>(std::move(*parsed));
}

model::UpSign sign_of(long long number) {
  using enum model::UpSign;
  for (const auto sign : {agent, console, network})
    if (number == static_cast<long long>(sign)) return sign;
  return none;
}

// Of a row that has them from its column 11 on; null: nothing was saved.
model::BootTimesPtr read_boot(Statement& row, const ports::RunRecord& run) {
  if (row.is_null(11)) return nullptr;
  const auto time_at = [&row](int column) -> std::optional<std::int64_t> {
    if (row.is_null(column)) return std::nullopt;
    return row.number(column);
  };
  const std::chrono::microseconds began(row.number(11));
  return std::make_shared<const model::BootTimes>(
      model::BootTimes{.uuid = run.uuid,
                       .name = run.name,
                       .id = run.id,
                       .paused = row.number(12) != 0,
                       .began = std::chrono::system_clock::time_point(began),
                       .process_us = time_at(13),
                       .running_us = time_at(14),
                       .up_us = time_at(15),
                       .up_by = sign_of(row.number(16))});
}

}  // namespace

struct SqliteStore::Job {
  Job(const asio::any_io_executor& e, const char* p, Change c)
      : executor(e), durable(e), point(p), change(std::move(c)) {}
  asio::any_io_executor executor;
  Wake durable;       // touched on the waiter's executor only
  const char* point;  // the change as a fault point
  Change change;
  Result<void> result;
};

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path) {
  auto opened = open_database(path, format);
  if (!opened) return pass_on(opened);
  auto* db = opened->database.get();
  if (auto made = execute(db, schema); !made) return pass_on(made);
  if (opened->version == 1)
    if (auto added = execute(db, "ALTER TABLE runs ADD COLUMN images TEXT NOT NULL DEFAULT ''"); !added)
      return pass_on(added);
  if (auto marked = mark_version(db, format); !marked) return pass_on(marked);
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(opened->database)));
}

SqliteStore::SqliteStore(Database db) : db_(std::move(db)), writer_([this] { write_until_stopped(); }) {}

void SqliteStore::stop() {
  if (!writer_.joinable()) return;
  {
    const CountedMutex::Hold hold(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  writer_.join();
}

void SqliteStore::write_until_stopped() {
  for (;;) {
    std::deque<std::shared_ptr<Job>> group;
    {
      CountedMutex::Hold hold(mutex_);
      arrived_.wait(hold, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      group.swap(queue_);
    }
    write_group(group);
    for (auto& job : group) {
      const auto executor = job->executor;
      // Given away whole: the job's timer belongs to that executor and must not be destroyed here.
      asio::post(executor, [job = std::move(job)] { job->durable.fire(); });
    }
  }
}

void SqliteStore::write_group(std::deque<std::shared_ptr<Job>>& group) {
  auto begun = execute(db_.get(), "BEGIN IMMEDIATE");
  for (auto& job : group) {
    // A savepoint each: one change that fails takes none of the others with it.
    job->result = begun;
    if (!begun) continue;
    job->result = execute(db_.get(), "SAVEPOINT change");
    if (!job->result) continue;
    job->result = fault::at(job->point);
    if (job->result) job->result = job->change(db_.get());
    if (!job->result) take_back(db_.get(), "ROLLBACK TO change");
    if (auto released = execute(db_.get(), "RELEASE change"); !released && job->result) job->result = released;
  }
  if (!begun) return;
  auto committed = fault::at("store.commit");
  if (committed) committed = execute(db_.get(), "COMMIT");
  commits_.fetch_add(1, std::memory_order_relaxed);
  if (committed) {
    fault::passed("store.committed");
    return;
  }
  take_back(db_.get(), "ROLLBACK");
  for (auto& job : group) job->result = committed;
}

asio::awaitable<Result<void>> SqliteStore::commit(const char* point, Change change) {
  auto job = std::make_shared<Job>(co_await asio::this_coro::executor, point, std::move(change));
  {
    const CountedMutex::Hold hold(mutex_);
    queue_.push_back(job);
  }
  arrived_.notify_one();
  if (!co_await job->durable.wait(Deadline::in(std::chrono::seconds(60))))
    co_return fail(VIR_ERR_OPERATION_TIMEOUT, "the disk with the database of definitions does not answer");
  co_return job->result;
}

asio::awaitable<Result<void>> SqliteStore::save_definition(ports::StoredDefinition entry) {
  return commit("store.save_definition", [entry = std::move(entry)](sqlite3* db) {
    const auto& def = *entry.definition;
    return Statement(db, "INSERT OR REPLACE INTO definitions VALUES (?, ?, ?, ?)")
        .bind(def.uuid.text())
        .bind(def.name)
        .bind(xml::format_domain(def, {.inactive = true}))
        .bind(entry.autostart ? 1LL : 0LL)
        .run();
  });
}

asio::awaitable<Result<void>> SqliteStore::remove_definition(Uuid uuid) {
  return commit("store.remove_definition", [uuid](sqlite3* db) {
    return Statement(db, "DELETE FROM definitions WHERE uuid = ?").bind(uuid.text()).run();
  });
}

asio::awaitable<Result<void>> SqliteStore::save_run(ports::RunRecord run) {
  const char* point = run.process ? "store.save_process" : "store.save_intent";
  return commit(point, [run = std::move(run)](sqlite3* db) {
    Statement row(db, "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    row.bind(run.id).bind(run.uuid.text()).bind(run.name).bind(run.monitor_path).bind(run.boot_id);
    row.bind(xml::format_domain(*run.live));
    if (run.process)
      row.bind(run.process->pid).bind(static_cast<long long>(run.process->start_time_ticks));
    else
      row.bind_null().bind_null();
    return row.bind(run.state).bind(run.reason).bind(format_images(run.images)).run();
  });
}

asio::awaitable<Result<void>> SqliteStore::save_run_state(int id, int state, int reason) {
  return commit("store.save_state", [=](sqlite3* db) {
    return Statement(db, "UPDATE runs SET state = ?, reason = ? WHERE id = ?").bind(state).bind(reason).bind(id).run();
  });
}

asio::awaitable<Result<void>> SqliteStore::save_boot(model::BootTimesPtr times) {
  return commit("store.save_boot", [times = std::move(times)](sqlite3* db) {
    using namespace std::chrono;
    // Only for a life that is on record: the note of an end may have come first.
    Statement row(db, "INSERT OR REPLACE INTO boots SELECT id, ?, ?, ?, ?, ?, ? FROM runs WHERE id = ?");
    row.bind(static_cast<long long>(duration_cast<microseconds>(times->began.time_since_epoch()).count()));
    row.bind(times->paused ? 1LL : 0LL);
    for (const auto& time : {times->process_us, times->running_us, times->up_us})
      if (time)
        row.bind(static_cast<long long>(*time));
      else
        row.bind_null();
    return row.bind(static_cast<long long>(times->up_by)).bind(times->id).run();
  });
}

asio::awaitable<Result<void>> SqliteStore::remove_run(int id) {
  return commit("store.remove_run", [id](sqlite3* db) -> Result<void> {
    auto removed = Statement(db, "DELETE FROM runs WHERE id = ?").bind(id).run();
    if (removed) removed = Statement(db, "DELETE FROM boots WHERE id = ?").bind(id).run();
    return removed;
  });
}

asio::awaitable<Result<int>> SqliteStore::reserve_ids(int count) {
  auto first = std::make_shared<int>(0);
  auto done = co_await commit("store.reserve_ids", [first, count](sqlite3* db) -> Result<void> {
    auto next = ask_number(db, "SELECT value FROM facts WHERE name = 'next_id'");
    if (!next) return pass_on(next);
    *first = static_cast<int>(*next);
    return Statement(db, "UPDATE facts SET value = ? WHERE name = 'next_id'").bind(*next + count).run();
  });
  if (!done) co_return pass_on(done);
  co_return *first;
}

Result<ports::StoredState> SqliteStore::load(const std::string& boot_id) {
  ports::StoredState state;
  Statement definitions(db_.get(), "SELECT uuid, name, xml, autostart FROM definitions ORDER BY name");
  for (;;) {
    auto row = definitions.next();
    if (!row) return pass_on(row);
    if (!*row) break;
    auto def = read_xml(definitions.text(2), false);
    if (!def)
      state.unreadable.push_back("the stored definition of guest '" + definitions.text(1) +
                                 "' cannot be read: " + def.error().message());
    else
      state.definitions.push_back({.definition = std::move(*def), .autostart = definitions.number(3) != 0});
  }
  Statement runs(db_.get(),
                 "SELECT runs.id, uuid, name, monitor_path, boot_id, xml, pid, start_time, state, reason, images, "
                 "began_us, paused, process_us, running_us, up_us, up_by FROM runs LEFT JOIN boots USING (id)");
  for (;;) {
    auto row = runs.next();
    if (!row) return pass_on(row);
    if (!*row) break;
    ports::RunRecord run;
    run.id = static_cast<int>(runs.number(0));
    run.uuid = Uuid::parse(runs.text(1)).value_or(Uuid{});
    run.name = runs.text(2);
    run.monitor_path = runs.text(3);
    run.boot_id = runs.text(4);
    if (!runs.is_null(6))
      run.process = ports::ProcessIdentity{.pid = static_cast<pid_t>(runs.number(6)),
                                           .start_time_ticks = static_cast<std::uint64_t>(runs.number(7)),
                                           .boot_id = run.boot_id};
    run.state = static_cast<int>(runs.number(8));
    run.reason = static_cast<int>(runs.number(9));
    run.images = parse_images(runs.text(10));
    run.boot = read_boot(runs, run);
    auto live = read_xml(runs.text(5), true);
    if (!live) {
      state.unreadable.push_back("the record of running guest '" + run.name +
                                 "' cannot be read: " + live.error().message());
      state.unreadable_runs.push_back(run.id);
      continue;
    }
    run.live = std::move(*live);
    state.runs.push_back(std::move(run));
  }
  // Asked and noted in one statement: a question that is still open could not turn into a change while somebody else
  // writes to the file.
  auto noted =
      Statement(db_.get(), "UPDATE facts SET value = ?1 WHERE name = 'boot_id' AND value <> ?1").bind(boot_id).run();
  if (!noted) return pass_on(noted);
  state.first_since_boot = sqlite3_changes(db_.get()) != 0;
  return state;
}

}  // namespace vireo::persist
