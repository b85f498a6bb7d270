// Opening, and statements without rows.
#include "persist/database.hpp"

#include "base/log.hpp"
#include "persist/statement.hpp"

namespace vireo::persist {

Result<Opened> open_database(const std::string& path, const Format& format) {
  sqlite3* raw = nullptr;
  const int status = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  Database db(raw);
  if (status != SQLITE_OK)
    return fail(VIR_ERR_INTERNAL_ERROR,
                fmt::format("cannot open {} '{}': {}", format.what, path, raw ? sqlite3_errmsg(raw) : "out of memory"));
  sqlite3_busy_timeout(raw, 5000);
  auto version = ask_number(raw, "PRAGMA user_version");
  if (!version) return pass_on(version);
  if (*version > format.version)
    return fail(VIR_ERR_INTERNAL_ERROR,
                fmt::format("{} '{}' was written by a newer Vireo; install that version again", format.what, path));
  if (auto wal = execute(raw, "PRAGMA journal_mode = WAL"); !wal) return pass_on(wal);
  return Opened{.database = std::move(db), .version = static_cast<int>(*version)};
}

Result<void> mark_version(sqlite3* db, const Format& format) {
  return execute(db, fmt::format("PRAGMA user_version = {}", format.version).c_str());
}

Result<void> execute(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return database_failure(db);
}

void take_back(sqlite3* db, const char* sql) {
  if (auto done = execute(db, sql); !done) log::error("{}: {}", sql, done.error().message());
}

Result<long long> ask_number(sqlite3* db, const char* sql) {
  Statement ask(db, sql);
  auto row = ask.next();
  if (!row) return pass_on(row);
  return *row ? ask.number(0) : 0;
}

std::unexpected<Error> database_failure(sqlite3* db) {
  const char* file = sqlite3_db_filename(db, "main");
  return fail(VIR_ERR_INTERNAL_ERROR,
              fmt::format("the database '{}': {}", file && *file ? file : ":memory:", sqlite3_errmsg(db)));
}

}  // namespace vireo::persist
