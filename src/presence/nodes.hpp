// A running guest as nodes of the tree: what of it can be said in the words of Xen's published paths
// (docs/misc/xenstore-paths.pandoc and the headers that it names). What fits none of them is left out; docs/TREE.md
// lists what is there. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/domain_view.hpp"
#include "tree/permissions.hpp"

namespace vireo::presence {

struct GuestNode {
  std::string path;
  std::string value;  // bytes: a guest's name may hold any
  // Empty: the node has what its parent has.
  std::optional<tree::Permissions> permissions = {};
  bool operator==(const GuestNode&) const = default;
};

// In the order of their paths, so that what is above comes first. Of a guest that does not run: none.
std::vector<GuestNode> nodes_of(const model::DomainView& view);

// Whether two views of one life certainly have the same nodes, seen without describing them.
bool described_alike(const model::DomainView& view, const model::DomainView& other);

// The folders that hold all that ever was a guest's, whoever wrote it there.
std::vector<std::string> places_of(const model::DomainView& view);

// The guest's state in libvirt's words (virDomainState): "running", "paused", "in shutdown", …
std::string_view state_word(int state);

}  // namespace vireo::presence
