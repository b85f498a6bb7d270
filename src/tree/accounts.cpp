// Counting, and counting off step by step.
#include "tree/accounts.hpp"

#include "tree/directory.hpp"
#include "tree/trie.hpp"

namespace vireo::tree {

Usage Accounts::of(DomainId domain) const {
  const auto found = of_.find(domain);
  return found == of_.end() ? Usage{} : found->second;
}

void Accounts::change(DomainId domain, std::int64_t nodes, std::int64_t bytes) {
  auto& usage = of_[domain];
  for (auto* each : {&usage, &total_}) {
    each->nodes += nodes;
    each->bytes += bytes;
  }
  if (usage.nodes == 0 && usage.bytes == 0) of_.erase(domain);
}

void Accounts::take_off_all(const NodeRef& node) {
  take_off(*node);
  if (node->children()) removed_.push_back(node->children()->top());
}

void Accounts::add(Accounts other) {
  for (const auto& [domain, usage] : other.of_) change(domain, usage.nodes, usage.bytes);
  removed_.insert(removed_.end(), std::make_move_iterator(other.removed_.begin()),
                  std::make_move_iterator(other.removed_.end()));
}

bool Accounts::settle(std::size_t pieces) {
  for (; pieces > 0 && !removed_.empty(); --pieces) {
    const Ref<Piece> piece = std::move(removed_.back());
    removed_.pop_back();
    if (piece->kind() == Piece::Kind::inner) {
      for (const auto& branch : piece.as<Inner>().branches)
        if (branch) removed_.push_back(branch);
    } else {
      for (const auto& node : piece.as<Leaf>().nodes()) take_off_all(node);
    }
  }
  return !removed_.empty();
}

}  // namespace vireo::tree
