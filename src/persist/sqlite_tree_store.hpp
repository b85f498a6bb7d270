// The TreeStore on SQLite: a file of its own, a row for each node, each batch one transaction.
#pragma once

#include <memory>
#include <string>

#include "persist/database.hpp"
#include "ports/tree_store.hpp"

namespace vireo::persist {

class SqliteTreeStore final : public ports::TreeStore {
 public:
  enum class Durable {
    at_once,  // a batch that was appended outlives a power cut
    soon,     // it outlives the daemon; of the last seconds before a power cut, batches from some point on may be gone
  };
  // Opens or creates the file. Error: VIR_ERR_INTERNAL_ERROR naming it, also when a newer Vireo wrote it.
  static Result<std::unique_ptr<SqliteTreeStore>> open(const std::string& path, Durable durable);

  Result<void> load(const std::function<void(const ports::StoredNode&)>& node) override;
  Result<void> append(const NextPart& next) override;

 private:
  explicit SqliteTreeStore(Database db) : db_(std::move(db)) {}
  Result<void> apply(const NextPart& next);

  Database db_;
};

}  // namespace vireo::persist
