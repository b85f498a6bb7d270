// One SQLite statement: bound, stepped, read. A thin owner over the C interface, for this room alone.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "persist/database.hpp"

namespace vireo::persist {

class Statement {
 public:
  // `sql` is one statement. Errors come with run() or next().
  Statement(sqlite3* db, std::string_view sql) : db_(db) {
    sqlite3_stmt* raw = nullptr;
    status_ = sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
    statement_.reset(raw);
  }

  // Binds the next parameter, from the left.
  Statement& bind(std::string_view text) {
    return check(
        sqlite3_bind_text(statement_.get(), ++bound_, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT));
  }
  // Bytes of any kind. They must stay until the statement has run.
  Statement& bind_blob(std::string_view bytes) {
    return check(sqlite3_bind_blob(statement_.get(), ++bound_, bytes.data() ? bytes.data() : "",
                                   static_cast<int>(bytes.size()), SQLITE_STATIC));
  }
  Statement& bind(long long number) { return check(sqlite3_bind_int64(statement_.get(), ++bound_, number)); }
  Statement& bind_null() { return check(sqlite3_bind_null(statement_.get(), ++bound_)); }

  // For statements that give no rows.
  Result<void> run() {
    if (status_ == SQLITE_OK) status_ = sqlite3_step(statement_.get());
    if (status_ == SQLITE_DONE || status_ == SQLITE_ROW) return {};
    return failure();
  }

  // Ready to be bound and run once more. What was wrong with the last run is forgotten.
  Statement& again() {
    if (statement_) status_ = SQLITE_OK;
    sqlite3_reset(statement_.get());
    bound_ = 0;
    return *this;
  }

  // True: on a row. False: no more rows.
  Result<bool> next() {
    if (status_ == SQLITE_OK || status_ == SQLITE_ROW) status_ = sqlite3_step(statement_.get());
    if (status_ == SQLITE_ROW) return true;
    if (status_ == SQLITE_DONE) return false;
    return failure();
  }

  // Columns of the row, from 0.
  std::string text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    return bytes ? std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)))
                 : std::string();
  }
  std::string_view blob(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    return {bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
  }
  long long number(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  bool is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  Statement& check(int status) {
    if (status_ == SQLITE_OK) status_ = status;
    return *this;
  }
  std::unexpected<Error> failure() const { return database_failure(db_); }

  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int status_ = SQLITE_OK;
  int bound_ = 0;
};

}  // namespace vireo::persist
