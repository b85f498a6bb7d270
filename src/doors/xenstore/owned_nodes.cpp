// Walking over everything, piece by piece.
#include "doors/xenstore/owned_nodes.hpp"

#include "tree/directory.hpp"
#include "tree/trie.hpp"

namespace vireo::doors::xenstore {
namespace {

struct Search {
  const tree::DomainId owner;
  std::string path = {};  // of the node whose children are looked at
  std::vector<std::string> found = {};

  void children_of(const tree::Node& node) {
    if (const auto* directory = node.children())
      if (directory->top()) piece(*directory->top());
  }
  void piece(const tree::Piece& piece) {  // NOLINT(misc-no-recursion): as deep as a path is long
    if (piece.kind() == tree::Piece::Kind::inner) {
      for (const auto& branch : static_cast<const tree::Inner&>(piece).branches)
        if (branch) this->piece(*branch);
      return;
    }
    for (const auto& node : static_cast<const tree::Leaf&>(piece).nodes()) {
      const auto before = path.size();
      path.append("/").append(node->name());
      if (node->owner() == owner)
        found.push_back(path);
      else
        children_of(*node);
      path.resize(before);
    }
  }
};

}  // namespace

std::vector<std::string> owned_nodes(const tree::Node& root, tree::DomainId owner) {
  Search search{.owner = owner};
  search.children_of(root);
  return std::move(search.found);
}

}  // namespace vireo::doors::xenstore
