// What each domain has of the tree. A subtree that is removed is not counted off at once, since it may be large, but
// step by step; who is about to be refused for having too much has all of it counted off first, so that nobody is
// refused for what is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "tree/node.hpp"
#include "tree/permissions.hpp"

namespace vireo::tree {

struct Usage {
  std::int64_t nodes = 0;
  std::int64_t bytes = 0;
};

class Accounts {
 public:
  // As counted so far: what is removed may still be in it (see settled()).
  Usage of(DomainId domain) const;
  // Every domain that has something. The same holds.
  const std::unordered_map<DomainId, Usage>& all() const { return of_; }

  // All of them together. The same holds.
  const Usage& total() const { return total_; }

  void add(const Node& node) { change(node.owner(), 1, static_cast<std::int64_t>(node.bytes())); }
  void take_off(const Node& node) { change(node.owner(), -1, -static_cast<std::int64_t>(node.bytes())); }
  // A node with all below it.
  void take_off_all(const NodeRef& node);
  // Adds what another account says.
  void add(Accounts other);

  // Counts off at most so many removed pieces; true: some are left.
  bool settle(std::size_t pieces);
  bool settled() const { return removed_.empty(); }

 private:
  void change(DomainId domain, std::int64_t nodes, std::int64_t bytes);

  std::unordered_map<DomainId, Usage> of_;
  Usage total_;
  std::vector<Ref<Piece>> removed_;  // pieces whose nodes are still counted
};

}  // namespace vireo::tree
