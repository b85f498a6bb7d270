// Who wants to hear of which paths. Kept as a tree of path parts, so that what a change costs depends on the depth of
// its path and on the watches that match, and not on how many there are.
//
// A watch at a path hears of changes there and below, down to `depth` levels if it has one; when something above it is
// removed that held its own path, it hears of its own path. Special names ("@introduceDomain") are no paths and match
// only themselves.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tree/change.hpp"
#include "tree/permissions.hpp"

namespace vireo::tree {

// One watch. `owner` is whoever set it (a connection) and means nothing here.
struct Watch {
  void* owner = nullptr;
  std::string path;  // absolute, or a special name
  std::string token;
  std::optional<std::uint32_t> depth;  // levels below `path`; 0: only the path itself
};

class Watches {
 public:
  Watches();
  ~Watches();
  Watches(const Watches&) = delete;
  Watches& operator=(const Watches&) = delete;

  // Called for each watch that matches, with the path that it is told, and what is there, or was before it was removed;
  // null for special names. Must not change the watches.
  using Found = std::function<void(const Watch& watch, std::string_view path, const Node* node)>;

  // Null: this owner has a watch with that path and token already. The path is one (see path.hpp), or begins with "@".
  const Watch* add(Watch watch);
  // False: there is none.
  bool remove(void* owner, std::string_view path, std::string_view token);
  // How many there were.
  std::size_t remove_all(void* owner);
  std::size_t size() const { return size_; }

  // Each watch is called at most once for one path, however many changes of the commit touch it; in the order of the
  // changes, and for one change from the root down.
  void match(const Commit& commit, const Found& found) const;
  // The watches of a special name: those without a depth are told `name`, those with depth 1 "name/domain"; and those
  // of "name/domain" itself.
  void match_special(std::string_view name, DomainId domain, const Found& found) const;

 private:
  struct Branch;
  using Here = std::vector<std::unique_ptr<Watch>>;
  Here* place(std::string_view path, bool make);
  void forget_place(std::string_view path);
  static void match_one(const Branch& root, const Commit& commit, const Change& change, const Found& found);
  static void match_below(const Branch& branch, const Node& gone, const Found& found);

  std::unique_ptr<Branch> root_;
  std::map<std::string, Here, std::less<>> special_;
  std::unordered_map<void*, std::vector<const Watch*>> by_owner_;
  std::size_t size_ = 0;
};

}  // namespace vireo::tree
