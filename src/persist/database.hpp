// What all databases of this room have in common: opened or created as a file in WAL mode, refused when a newer Vireo
// wrote it, and small statements on them.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>

#include "base/error.hpp"

namespace vireo::persist {

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

struct Format {
  const char* what;  // "the database of definitions"
  int version;       // of the schema: files with a higher one are refused
};
struct Opened {
  Database database;
  int version = 0;  // of the schema that the file has; 0: it is new
};

// Opens or creates the file; ":memory:" keeps everything in memory. Error: VIR_ERR_INTERNAL_ERROR naming the file.
Result<Opened> open_database(const std::string& path, const Format& format);
// The file now has the schema of the format's version.
Result<void> mark_version(sqlite3* db, const Format& format);

Result<void> execute(sqlite3* db, const char* sql);
// For taking back what has failed already: if that fails too, there is nothing left to do but to say so.
void take_back(sqlite3* db, const char* sql);
// Of the first row and column; 0: there is none.
Result<long long> ask_number(sqlite3* db, const char* sql);

// What SQLite says went wrong last, as an error that names the file.
std::unexpected<Error> database_failure(sqlite3* db);

}  // namespace vireo::persist
