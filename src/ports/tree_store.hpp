// The seam between the tree and what of it survives the daemon. Both calls block; load() is called once, before anybody
// uses the tree, and append() on a worker, one at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace vireo::ports {

struct StoredNode {
  std::string path, value;
  std::string permissions;  // as the protocol has them, with spaces between: "n0 r3"
};

// What leads from one version of the tree to a later one, or a part of it: first the removals, then the nodes.
struct TreeBatch {
  std::vector<std::string> removed;  // with all below them; "/": everything
  std::vector<StoredNode> written;   // as they are now, in any order
};

class TreeStore {
 public:
  virtual ~TreeStore() = default;

  // Calls `node` for each, parents before what is below them.
  virtual Result<void> load(const std::function<void(const StoredNode&)>& node) = 0;
  // Puts the next part, which no later one contradicts, into what it is given, which is empty; false: there is no more.
  using NextPart = std::function<bool(TreeBatch& part)>;
  // All parts or, where it fails, nothing. May be repeated.
  virtual Result<void> append(const NextPart& next) = 0;
};

}  // namespace vireo::ports
