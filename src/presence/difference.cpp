// Two sorted lists, walked side by side.
#include "presence/difference.hpp"

#include <algorithm>

namespace vireo::presence {

bool before(std::string_view path, std::string_view other) {
  return std::ranges::lexicographical_compare(
      path, other, {}, [](char c) { return c == '/' ? '\0' : c; }, [](char c) { return c == '/' ? '\0' : c; });
}

std::vector<Step> difference(const std::vector<GuestNode>& old_nodes, const std::vector<GuestNode>& new_nodes) {
  std::vector<Step> steps;
  const auto appear = [&](const GuestNode& node) {
    steps.push_back({Step::Kind::write, &node});
    if (node.permissions) steps.push_back({Step::Kind::permit, &node});
  };
  const GuestNode* gone = nullptr;
  const auto vanish = [&](const GuestNode& node) {
    if (gone && node.path.starts_with(gone->path + "/")) return;
    gone = &node;
    steps.push_back({Step::Kind::remove, &node});
  };
  auto was = old_nodes.begin();
  for (const auto& node : new_nodes) {
    for (; was != old_nodes.end() && before(was->path, node.path); ++was) vanish(*was);
    if (was == old_nodes.end() || was->path != node.path) {
      appear(node);
      continue;
    }
    if (was->value != node.value) steps.push_back({Step::Kind::write, &node});
    if (node.permissions && was->permissions != node.permissions) steps.push_back({Step::Kind::permit, &node});
    ++was;
  }
  for (; was != old_nodes.end(); ++was) vanish(*was);
  return steps;
}

}  // namespace vireo::presence
