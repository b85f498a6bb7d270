// Rows by path. What is below a node has keys between "PATH/" and "PATH0" ('0' follows '/'), so a subtree of any size
// is removed by one statement, and parents come before what is below them.
#include "persist/sqlite_tree_store.hpp"

#include "base/fault.hpp"
#include "persist/statement.hpp"

namespace vireo::persist {
namespace {

constexpr Format format{.what = "the database of the tree", .version = 1};

// The log is worked into the file once it has 16 MiB, and cut again when a large batch has made it longer. Large
// batches touch most pages, so some MiB of them are kept at hand.
constexpr const char* schema = R"(
  PRAGMA wal_autocheckpoint = 4096;
  PRAGMA journal_size_limit = 16777216;
  CREATE TABLE IF NOT EXISTS nodes (
    path TEXT PRIMARY KEY, value BLOB NOT NULL, permissions TEXT NOT NULL) WITHOUT ROWID;
)";

}  // namespace

Result<std::unique_ptr<SqliteTreeStore>> SqliteTreeStore::open(const std::string& path, Durable durable) {
  auto opened = open_database(path, format);
  if (!opened) return pass_on(opened);
  auto* db = opened->database.get();
  const char* synchronous = durable == Durable::at_once ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";
  if (auto set = execute(db, synchronous); !set) return pass_on(set);
  if (auto made = execute(db, schema); !made) return pass_on(made);
  if (auto marked = mark_version(db, format); !marked) return pass_on(marked);
  return std::unique_ptr<SqliteTreeStore>(new SqliteTreeStore(std::move(opened->database)));
}

Result<void> SqliteTreeStore::load(const std::function<void(const ports::StoredNode&)>& node) {
  Statement nodes(db_.get(), "SELECT path, value, permissions FROM nodes ORDER BY path");
  for (;;) {
    auto row = nodes.next();
    if (!row) return pass_on(row);
    if (!*row) return {};
    node({.path = nodes.text(0), .value = std::string(nodes.blob(1)), .permissions = nodes.text(2)});
  }
}

Result<void> SqliteTreeStore::append(const NextPart& next) {
  auto done = fault::at("tree.append");
  if (done) done = execute(db_.get(), "BEGIN IMMEDIATE");
  if (!done) return done;
  done = apply(next);
  if (done) done = fault::at("tree.commit");
  if (done) done = execute(db_.get(), "COMMIT");
  if (!done) take_back(db_.get(), "ROLLBACK");
  if (done) fault::passed("tree.committed");
  return done;
}

Result<void> SqliteTreeStore::apply(const NextPart& next) {
  Statement remove(db_.get(), "DELETE FROM nodes WHERE path = ?1 OR (path > ?2 AND path < ?3)");
  // What is there already is not written again.
  Statement write(db_.get(),
                  "INSERT INTO nodes VALUES (?, ?, ?) ON CONFLICT (path) DO UPDATE SET value = excluded.value, "
                  "permissions = excluded.permissions WHERE value != excluded.value OR permissions != "
                  "excluded.permissions");
  for (ports::TreeBatch part; next(part); part = {}) {
    for (const auto& path : part.removed) {
      auto removed = path == "/" ? execute(db_.get(), "DELETE FROM nodes")
                                 : remove.again().bind(path).bind(path + '/').bind(path + '0').run();
      if (!removed) return removed;
    }
    for (const auto& node : part.written)
      if (auto written = write.again().bind(node.path).bind_blob(node.value).bind(node.permissions).run(); !written)
        return written;
  }
  // A statement that is in the middle of something keeps the transaction open.
  remove.again();
  write.again();
  return {};
}

}  // namespace vireo::persist
