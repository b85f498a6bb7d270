// What a transaction remembers of what it was told, and how that is forgotten.
#include "tree/transaction.hpp"

#include <utility>

#include "tree/directory.hpp"

namespace vireo::tree {

Transaction::Transaction(const Caller& caller, NodeRef base, std::uint64_t began, All& all)
    : caller_(caller), root_(std::move(base)), began_(began), all_(all) {
  ++all_.open_;
}

Transaction::~Transaction() {
  constexpr std::size_t few = 64;  // take less time than putting them aside
  --all_.open_;
  if (log_.size() + touched_.size() > few) all_.ended_.push_back({std::move(touched_), std::move(log_)});
}

bool Transaction::All::tidy(std::size_t most) {
  for (; most > 0 && !ended_.empty(); --most) {
    auto& [touched, log] = ended_.back();
    if (!log.empty())
      log.pop_back();
    else if (!touched.empty())
      touched.erase(touched.begin());
    else
      ended_.pop_back();
  }
  return !ended_.empty();
}

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
