// What a transaction remembers of what it was told.
#include "tree/transaction.hpp"

#include <utility>

#include "tree/directory.hpp"

namespace vireo::tree {

Transaction::Index::value_type* Transaction::touch(Path path, const Limits& limits) {
  const auto found = touched_.find(std::string(path.text()));
  if (found != touched_.end()) return &*found;
  if (limits.transaction_nodes > 0 && touched_.size() >= limits.transaction_nodes) return nullptr;
  bytes_ += sizeof(Index::value_type) + path.text().size();
  return &*touched_.try_emplace(std::string(path.text())).first;
}

bool Transaction::is_in_log(const Touched& touched, What what) const {
  return touched.changes == changes_ && (touched.told & static_cast<std::uint8_t>(what)) != 0;
}

void Transaction::note_in_log(Touched& touched, What what) const {
  if (touched.changes != changes_) touched = {.told = 0, .changes = changes_};
  touched.told |= static_cast<std::uint8_t>(what);
}

namespace {

std::size_t bytes_of(std::string_view value, const Permissions& permissions) {
  return value.size() + permissions.size() * sizeof(Permission);
}

bool same_children(const Node& before, const Node& after) {
  if (!before.children() || !after.children()) return before.children() == after.children();
  return before.children()->has_same_names(*after.children());
}

}  // namespace

bool Transaction::has_room(const Step& step, const Limits& limits) const {
  return limits.memory == 0 || bytes_ + sizeof(step) + bytes_of(step.value, step.permissions) <= limits.memory;
}

bool Transaction::log(Step step, const Limits& limits) {
  if (!has_room(step, limits)) return false;
  bytes_ += sizeof(step) + bytes_of(step.value, step.permissions);
  log_.push_back(std::move(step));
  return true;
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
      return same_children(before, after);
    default:
      return before.permissions() == after.permissions();
  }
}

}  // namespace vireo::tree
