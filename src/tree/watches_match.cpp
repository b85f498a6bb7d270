// Who is told of a commit: the tree of watches is walked along what has changed, and below it beside what is gone.
#include <limits>

#include "tree/watches.hpp"

namespace vireo::tree {

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

  // Those of one place.
  template <class Tell>
  bool here(const Here& here, const Tell& tell) {
    for (auto at = here.upper_bound(at_.last); at != here.end() && at->first < at_.before; ++at) {
      if (!may_look()) return false;
      at_.last = at->first;
      if (!at->second.of->over) tell(at->second.watch);
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
  return size_ == guarded_ || Part(changes, at, most, false, found).tell(root_);
}

void Watches::match_guarded(const Commit& commit, const Found& found) const {
  if (guarded_ == 0) return;
  auto all = begin();
  Part(commit.changes, all, std::numeric_limits<std::size_t>::max(), true, found).tell(root_);
}

void Watches::match_special(std::string_view name, DomainId domain, const Found& found) const {
  const std::string one = std::string(name) + "/" + std::to_string(domain);
  const auto tell = [&](std::string_view of, const auto& told) {
    const auto all = special_.find(of);
    if (all == special_.end()) return;
    for (const auto& [number, kept] : all->second)
      if (!kept.of->over) found(kept.watch, told(kept.watch), nullptr);
  };
  tell(name, [&](const Watch& watch) { return watch.depth.value_or(0) > 0 ? std::string_view(one) : name; });
  tell(one, [&](const Watch&) { return std::string_view(one); });
}

}  // namespace vireo::tree
