// Who wants to hear of which paths. Kept as a tree of path parts, so that what a change costs depends on the depth of its
// path and on the watches that match, and not on how many there are.
//
// A watch at a path hears of changes there and below, down to `depth` levels if it has one; when something above it is
// removed that held its own path, it hears of its own path. Special names ("@introduceDomain") are paths of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tree/change.hpp"
#include "tree/permissions.hpp"

namespace vireo::tree {

// One watch. `owner` is whoever set it (a connection) and means nothing here.
struct Watch {
  void* owner = nullptr;
  std::string path;   // absolute, or a special name
  std::string token;
  std::optional<std::uint32_t> depth;
};

class Watches {
 public:
  Watches();
  ~Watches();
  // Called for each watch that matches, with the path that it is told.
  using Found = std::function<void(const Watch& watch, std::string_view path)>;

  // Null: this owner has a watch with that path and token already.
  const Watch* add(Watch watch);
  // False: there is none.
  bool remove(void* owner, std::string_view path, std::string_view token);
  std::size_t remove_all(void* owner);
  std::size_t size() const;

  // Each watch is called at most once for one path, however many changes of the commit touch it.
  void match(const Commit& commit, const Found& found) const;
  // The watches of a special name: `name` itself, and with depth 1 or more those that are told "name/domain".
  void match_special(std::string_view name, DomainId domain, const Found& found) const;
};

}  // namespace vireo::tree
