// Who watches where.
#include "tree/watches.hpp"

namespace vireo::tree {

// Null: nobody watches there.
Watches::Here* Watches::place(std::string_view text, bool make) {
  if (text.starts_with('@')) {
    const auto found = special_.find(text);
    if (found != special_.end()) return &found->second;
    return make ? &special_[std::string(text)] : nullptr;
  }
  Branch* branch = &root_;
  for (Path::Parts left(*Path::parse(text)); !left.done();) {
    const auto part = left.next();
    auto next = branch->below.find(part);
    if (next == branch->below.end()) {
      if (!make) return nullptr;
      next = branch->below.emplace(std::string(part), std::make_unique<Branch>()).first;
    }
    branch = next->second.get();
  }
  return &branch->here;
}

// Nobody watches there any more: the branches that led nowhere else go.
void Watches::forget_place(std::string_view text) {
  if (text.starts_with('@')) {
    special_.erase(special_.find(text));
    return;
  }
  // The last branch on the way that has to stay, and the part behind it.
  Branch* keep = &root_;
  std::string_view behind;
  Branch* branch = &root_;
  for (Path::Parts left(*Path::parse(text)); !left.done();) {
    const auto part = left.next();
    if (branch == &root_ || !branch->here.empty() || branch->below.size() > 1) {
      keep = branch;
      behind = part;
    }
    branch = branch->below.find(part)->second.get();
  }
  if (branch->here.empty() && branch->below.empty() && branch != &root_) keep->below.erase(keep->below.find(behind));
}

void Watches::take_out(const Watch& watch) {
  const std::string where = watch.path;
  auto* here = place(where, false);
  here->erase(watch.number);
  if (here->empty()) forget_place(where);
}

bool Watches::add(Watch watch) {
  auto& holding = by_owner_[watch.owner];
  if (!holding) holding = std::make_unique<Holding>();
  if (holding->watches.contains({watch.path, watch.token})) return false;
  auto& here = *place(watch.path, true);
  const auto number = watch.number = next_number_++;
  const auto at = here.emplace_hint(here.end(), number, Kept{.watch = std::move(watch), .of = holding.get()});
  const auto& kept = at->second.watch;
  holding->watches.emplace(std::pair(std::string_view(kept.path), std::string_view(kept.token)), &kept);
  holding->guarded += kept.guarded;
  guarded_ += kept.guarded;
  ++size_;
  return true;
}

bool Watches::remove(void* owner, std::string_view path, std::string_view token) {
  const auto of_owner = by_owner_.find(owner);
  if (of_owner == by_owner_.end()) return false;
  auto& holding = *of_owner->second;
  const auto found = holding.watches.find({path, token});
  if (found == holding.watches.end()) return false;
  const Watch& watch = *found->second;
  holding.guarded -= watch.guarded;
  guarded_ -= watch.guarded;
  --size_;
  holding.watches.erase(found);
  take_out(watch);
  if (holding.watches.empty()) by_owner_.erase(of_owner);
  return true;
}

std::size_t Watches::remove_all(void* owner) {
  const auto found = by_owner_.find(owner);
  if (found == by_owner_.end()) return 0;
  auto holding = std::move(found->second);
  by_owner_.erase(found);
  const auto all = holding->watches.size();
  size_ -= all;
  guarded_ -= holding->guarded;
  holding->over = true;
  over_.push_back(std::move(holding));
  return all;
}

bool Watches::tidy(std::size_t most) {
  for (; most > 0 && !over_.empty(); --most) {
    auto& left = over_.back()->watches;
    if (left.empty()) {
      over_.pop_back();
      continue;
    }
    const Watch& watch = *left.begin()->second;
    left.erase(left.begin());
    take_out(watch);
  }
  return !over_.empty();
}

}  // namespace vireo::tree
