// What has to be done to the tree when a guest has changed. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "presence/nodes.hpp"

namespace vireo::presence {

// The order of nodes: as their paths' parts have it, so that all that is below a node follows it at once.
bool before(std::string_view path, std::string_view other);

struct Step {
  enum class Kind { write, permit, remove };
  Kind kind = Kind::write;
  const GuestNode* node = nullptr;
  bool operator==(const Step&) const = default;
};

// The steps from one description to another, what is removed standing for all below it. A node that is in both as it
// was is not touched: what clients have written there since stays. The steps point into the two.
std::vector<Step> difference(const std::vector<GuestNode>& old_nodes, const std::vector<GuestNode>& new_nodes);

}  // namespace vireo::presence
