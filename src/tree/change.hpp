// What a commit did, as those hear of it who watch the tree or write it down.
#pragma once

#include <cstdint>
#include <span>

#include "tree/node.hpp"
#include "tree/path.hpp"

namespace vireo::tree {

struct Change {
  enum class Kind : std::uint8_t {
    written,      // the node was made, or has a new value; so may be parents of it
    permissions,  // it has new permissions
    removed,      // it is gone, with all below it
  };
  Path path;  // valid while the listener is called
  Kind kind = Kind::written;
  NodeRef gone = {};  // what was removed
};

struct Commit {
  const Node& root;                 // as it is now
  std::span<const Change> changes;  // one for each path and kind, in the order in which they were first made
};

}  // namespace vireo::tree
