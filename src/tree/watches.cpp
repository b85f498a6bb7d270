// The tree of watches, walked beside the tree of nodes.
#include "tree/watches.hpp"

#include <algorithm>
#include <limits>

namespace vireo::tree {

struct Watches::Branch {
  Here here;
  std::map<std::string, std::unique_ptr<Branch>, std::less<>> below;
};

Watches::Watches() : root_(std::make_unique<Branch>()) {}
Watches::~Watches() = default;

// Null: nobody watches there.
Watches::Here* Watches::place(std::string_view text, bool make) {
  if (text.starts_with('@')) {
    const auto found = special_.find(text);
    if (found != special_.end()) return &found->second;
    return make ? &special_[std::string(text)] : nullptr;
  }
  Branch* branch = root_.get();
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
  Branch* keep = root_.get();
  std::string_view behind;
  Branch* branch = root_.get();
  for (Path::Parts left(*Path::parse(text)); !left.done();) {
    const auto part = left.next();
    if (branch == root_.get() || !branch->here.empty() || branch->below.size() > 1) {
      keep = branch;
      behind = part;
    }
    branch = branch->below.find(part)->second.get();
  }
  if (branch->here.empty() && branch->below.empty() && branch != root_.get())
    keep->below.erase(keep->below.find(behind));
}

const Watch* Watches::add(Watch watch) {
  auto& here = *place(watch.path, true);
  const auto same = [&](const auto& each) { return each->owner == watch.owner && each->token == watch.token; };
  if (std::ranges::any_of(here, same)) return nullptr;
  auto& of_owner = by_owner_[watch.owner];
  watch.number = next_number_++;
  if (watch.guarded) ++guarded_;
  here.push_back(std::make_unique<Watch>(std::move(watch)));
  of_owner.push_back(here.back().get());
  ++size_;
  return here.back().get();
}

bool Watches::remove(void* owner, std::string_view path, std::string_view token) {
  auto* here = place(path, false);
  if (!here) return false;
  const auto watch =
      std::ranges::find_if(*here, [&](const auto& each) { return each->owner == owner && each->token == token; });
  if (watch == here->end()) return false;
  const auto of_owner = by_owner_.find(owner);
  std::erase(of_owner->second, watch->get());
  if (of_owner->second.empty()) by_owner_.erase(of_owner);
  const std::string where = (*watch)->path;  // `path` may be the watch's own
  if ((*watch)->guarded) --guarded_;
  here->erase(watch);
  --size_;
  if (here->empty()) forget_place(where);
  return true;
}

std::size_t Watches::remove_all(void* owner) {
  const auto found = by_owner_.find(owner);
  if (found == by_owner_.end()) return 0;
  const auto all = std::move(found->second);
  by_owner_.erase(found);
  for (const Watch* watch : all) {
    const std::string where = watch->path;
    if (watch->guarded) --guarded_;
    auto* here = place(where, false);
    std::erase_if(*here, [&](const auto& each) { return each.get() == watch; });
    if (here->empty()) forget_place(where);
  }
  size_ -= all.size();
  return all.size();
}

// A part of the telling of a commit: goes on where the last one ended, until it has looked at enough.
class Watches::Part {
 public:
  Part(std::span<const Change> changes, Progress& at, std::size_t most, bool guarded, const Found& found)
      : changes_(changes), at_(at), left_(most), guarded_(guarded), found_(found) {}

  // True: all have been told.
  bool tell(const Branch& root) {
    for (; at_.change < changes_.size(); ++at_.change, at_.level = 0, at_.below.clear(), at_.last = 0)
      if (!may_look() || !along(root, changes_[at_.change])) return false;
    return true;
  }

 private:
  bool may_look() {
    if (left_ == 0) return false;
    --left_;
    return true;
  }

  // Several changes of one commit may concern one watch and tell it the same path.
  void tell(const Watch& watch, std::string_view path, const Node* gone) {
    if (watch.guarded != guarded_) return;
    if (changes_.size() == 1 || at_.told.emplace(&watch, path).second) found_(watch, path, gone);
  }

  // Those of one place, which stand in the order of their numbers.
  template <class Tell>
  bool here(const Here& here, const Tell& tell) {
    auto watch = std::ranges::upper_bound(here, at_.last, {}, &Watch::number);
    for (; watch != here.end() && (*watch)->number < at_.before; ++watch) {
      if (!may_look()) return false;
      at_.last = (*watch)->number;
      tell(**watch);
    }
    return true;
  }

  // On the way to what has changed, and there.
  bool along(const Branch& root, const Change& change) {
    std::uint32_t levels = 0;
    for (Path::Parts left(change.path); !left.done(); ++levels) left.next();
    const Branch* branch = &root;
    Path::Parts left(change.path);
    for (std::uint32_t level = 0;; ++level) {
      if (level == at_.level) {
        const auto all = here(branch->here, [&](const Watch& watch) {
          if (!watch.depth || levels - level <= *watch.depth) tell(watch, change.path.text(), change.gone.get());
        });
        if (!all) return false;
        ++at_.level;
        at_.last = 0;
      }
      if (level == levels) break;
      const auto next = branch->below.find(left.next());
      if (next == branch->below.end()) return true;
      branch = next->second.get();
    }
    return !change.gone || below(*branch, *change.gone, 0);
  }

  // Below what is gone; `depth` is how far. Where the last part ended there may be nobody any more; those that are next
  // are next in the order of the names.
  bool below(const Branch& branch, const Node& gone, std::size_t depth) {
    auto next = depth < at_.below.size() ? branch.below.lower_bound(at_.below[depth]) : branch.below.begin();
    for (; next != branch.below.end(); ++next) {
      const auto& [part, place] = *next;
      if (depth == at_.below.size() || at_.below[depth] != part) {
        if (!may_look()) return false;
        at_.below.resize(depth);
        at_.below.push_back(part);
        at_.last = 0;
      }
      const Node* node = gone.child(part);
      if (!node) continue;
      const bool is_next = at_.below.size() == depth + 1;
      if (is_next && !here(place->here, [&](const Watch& watch) { tell(watch, watch.path, node); })) return false;
      if (!below(*place, *node, depth + 1)) return false;
    }
    return true;
  }

  const std::span<const Change> changes_;
  Progress& at_;
  std::size_t left_;
  const bool guarded_;
  const Found& found_;
};

bool Watches::match(std::span<const Change> changes, Progress& at, std::size_t most, const Found& found) const {
  return size_ == guarded_ || Part(changes, at, most, false, found).tell(*root_);
}

void Watches::match_guarded(const Commit& commit, const Found& found) const {
  if (guarded_ == 0) return;
  auto all = begin();
  Part(commit.changes, all, std::numeric_limits<std::size_t>::max(), true, found).tell(*root_);
}

void Watches::match_special(std::string_view name, DomainId domain, const Found& found) const {
  const std::string one = std::string(name) + "/" + std::to_string(domain);
  if (const auto all = special_.find(name); all != special_.end())
    for (const auto& watch : all->second) found(*watch, watch->depth.value_or(0) > 0 ? one : name, nullptr);
  if (const auto all = special_.find(one); all != special_.end())
    for (const auto& watch : all->second) found(*watch, one, nullptr);
}

}  // namespace vireo::tree
