// What a transaction remembers of what it was told.
#include "tree/transaction.hpp"

namespace vireo::tree {

Transaction::Index::value_type* Transaction::touch(Path path, const Limits& limits) {
  const auto found = touched_.find(std::string(path.text()));
  if (found != touched_.end()) return &*found;
  if (limits.transaction_nodes > 0 && touched_.size() >= limits.transaction_nodes) return nullptr;
  bytes_ += sizeof(Index::value_type) + path.text().size();
  return &*touched_.try_emplace(std::string(path.text())).first;
}

bool Transaction::same_answer(const Step& step, const Outcome<const Node*>& now) {
  if (!now || step.error != 0) return !now && now.error() == step.error;
  const Node& before = *step.seen;
  const Node& after = **now;
  if (before.stamp() == after.stamp()) return true;
  switch (step.what) {
    case What::value:
      return before.value() == after.value();
    case What::children:
      return before.names() == after.names();
    default:
      return before.permissions() == after.permissions();
  }
}

}  // namespace vireo::tree
