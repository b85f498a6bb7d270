// Who wants to hear of which paths. Kept as a tree of path parts, so that what a change costs depends on the depth of
// its path and on the watches that match, and not on how many there are; and by owner, so that it does not matter
// either how many one owner has, or how many there are at one path.
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
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
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
  // Its owner hears only of what it may read, which is to be asked of the tree as the commit left it.
  bool guarded = false;
  bool relative = false;     // its owner named the path without its beginning; means nothing here
  std::uint64_t number = 0;  // given by Watches: later ones have greater numbers
};

class Watches {
 public:
  Watches() = default;
  Watches(const Watches&) = delete;
  Watches& operator=(const Watches&) = delete;

  // Called for each watch that matches, with the path that it is told, and what was there if it is gone; else null.
  // Must not change the watches.
  using Found = std::function<void(const Watch& watch, std::string_view path, const Node* gone)>;

  // How far the telling of a commit's changes has come. Between two steps watches may come, which are not told any
  // more, and go.
  struct Progress {
    std::uint64_t before = 0;  // told are watches with smaller numbers: those that there were
    std::size_t change = 0;    // the next one
    std::uint32_t level = 0;   // below the root, of the branch that is next on the way to its path
    // Below a path that is gone: the way from there to the branch that is next.
    std::vector<std::string> below = {};
    std::uint64_t last = 0;  // the last watch that was told at that branch
    std::set<std::pair<const Watch*, std::string>> told = {};
  };

  // False: this owner has a watch with that path and token already. The path is one (see path.hpp), or begins with "@".
  bool add(Watch watch);
  // False: there is none.
  bool remove(void* owner, std::string_view path, std::string_view token);
  // They match no more from now on, and are taken out little by little (see tidy). How many there were.
  std::size_t remove_all(void* owner);
  // Takes out at most so many of those; true: there are more.
  bool tidy(std::size_t most);
  std::size_t size() const { return size_; }

  // What follows calls each watch at most once for one path, however many changes touch it; in the order of the
  // changes, and for one change from the root down.

  // A commit that the watches of now are to be told of.
  Progress begin() const { return {.before = next_number_}; }
  // Those that are not guarded: looks at `most` (at least 2) watches, changes and places with watches below what is
  // gone, and goes on from there the next time. True: that was all.
  bool match(std::span<const Change> changes, Progress& at, std::size_t most, const Found& found) const;
  // Those that are guarded, all at once.
  void match_guarded(const Commit& commit, const Found& found) const;
  // The watches of a special name: those without a depth are told `name`, those with depth 1 "name/domain"; and those
  // of "name/domain" itself.
  void match_special(std::string_view name, DomainId domain, const Found& found) const;

 private:
  // All that one owner has, by path and token, which are the watches' own.
  struct Holding {
    std::map<std::pair<std::string_view, std::string_view>, const Watch*> watches;
    std::size_t guarded = 0;
    bool over = false;
  };
  struct Kept {
    Watch watch;
    const Holding* of;
  };
  // Those of one place, by their numbers.
  using Here = std::map<std::uint64_t, Kept>;
  struct Branch {
    Here here;
    std::map<std::string, std::unique_ptr<Branch>, std::less<>> below;
  };
  class Part;

  Here* place(std::string_view path, bool make);
  void forget_place(std::string_view path);
  void take_out(const Watch& watch);

  Branch root_;
  std::map<std::string, Here, std::less<>> special_;
  std::unordered_map<void*, std::unique_ptr<Holding>> by_owner_;
  std::vector<std::unique_ptr<Holding>> over_;
  std::size_t size_ = 0;
  std::size_t guarded_ = 0;
  std::uint64_t next_number_ = 1;
};

}  // namespace vireo::tree
