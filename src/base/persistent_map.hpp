// PersistentMap: an immutable hash map whose versions share structure. Changing one costs O(log32 n) new nodes and
// leaves every older version as it was, which is what lets a version be published to readers without a lock.
//
// It is a hash array mapped trie in its compressed form (Steindorfer and Vinju, 2015): a node keeps, side by side, the
// entries and the children of the 32 places that five bits of the hash select, and two bitmaps say which place holds
// what. Erasing keeps it canonical: a child left with a single entry is folded into its parent, so that equal contents
// always have equal shape. Pure; a version may be read from any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace vireo {

template <class Key, class Value, class Hash = std::hash<Key>>
class PersistentMap {
 public:
  using Entry = std::pair<Key, Value>;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The value, or nullptr. Valid as long as some version that holds it lives. K may be anything that hashes and
  // compares like Key (a string_view for a string).
  template <class K>
  const Value* find(const K& key) const {
    const std::uint64_t hash = hash_of(key);
    const Node* node = root_.get();
    for (int shift = 0; node; shift += kBits) {
      if (shift >= 64) {
        for (const auto& entry : node->entries)
          if (entry.first == key) return &entry.second;
        return nullptr;
      }
      const std::uint32_t bit = bit_at(hash, shift);
      if (node->entry_map & bit) {
        const auto& entry = node->entries[index(node->entry_map, bit)];
        return entry.first == key ? &entry.second : nullptr;
      }
      if (!(node->child_map & bit)) return nullptr;
      node = node->children[index(node->child_map, bit)].get();
    }
    return nullptr;
  }

  // A version in which key has value.
  [[nodiscard]] PersistentMap set(Key key, Value value) const {
    bool added = false;
    const std::uint64_t hash = hash_of(key);
    auto root = set_in(root_.get(), hash, 0, Entry(std::move(key), std::move(value)), added);
    return PersistentMap(std::move(root), size_ + (added ? 1 : 0));
  }

  // A version without key; the same version if it was not there.
  [[nodiscard]] PersistentMap erase(const Key& key) const {
    if (!find(key)) return *this;
    return PersistentMap(size_ == 1 ? nullptr : erase_in(*root_, hash_of(key), 0, key), size_ - 1);
  }

  // Calls visit(key, value) for every entry, in an order that depends on the hashes alone.
  template <class Visit>
  void for_each(Visit&& visit) const {
    if (root_) visit_node(*root_, visit);
  }

 private:
  static constexpr int kBits = 5;

  struct Node;
  using NodePtr = std::shared_ptr<const Node>;
  struct Node {
    std::uint32_t entry_map = 0;  // which of the 32 places hold an entry …
    std::uint32_t child_map = 0;  // … and which a child; both zero below the last level, where entries is a plain list
    std::vector<Entry> entries;
    std::vector<NodePtr> children;
  };

  PersistentMap(NodePtr root, std::size_t size) : root_(std::move(root)), size_(size) {}

  template <class K>
  static std::uint64_t hash_of(const K& key) {
    // std::hash of an integer is the integer; one multiplication spreads such keys over the upper bits too.
    std::uint64_t h;
    if constexpr (std::is_same_v<K, Key>)
      h = Hash{}(key);
    else
      h = std::hash<K>{}(key);
    return h ^ ((h * 0x9E3779B97F4A7C15ULL) >> 29);
  }
  static std::uint32_t bit_at(std::uint64_t hash, int shift) { return 1U << ((hash >> shift) & 31U); }
  static std::size_t index(std::uint32_t map, std::uint32_t bit) {
    return static_cast<std::size_t>(std::popcount(map & (bit - 1)));
  }

  static NodePtr set_in(const Node* node, std::uint64_t hash, int shift, Entry entry, bool& added) {
    auto copy = node ? std::make_shared<Node>(*node) : std::make_shared<Node>();
    if (shift >= 64) {
      for (auto& present : copy->entries)
        if (present.first == entry.first) {
          present.second = std::move(entry.second);
          return copy;
        }
      added = true;
      copy->entries.push_back(std::move(entry));
      return copy;
    }
    const std::uint32_t bit = bit_at(hash, shift);
    if (copy->child_map & bit) {
      auto& child = copy->children[index(copy->child_map, bit)];
      child = set_in(child.get(), hash, shift + kBits, std::move(entry), added);
      return copy;
    }
    const auto at = index(copy->entry_map, bit);
    if (!(copy->entry_map & bit)) {
      added = true;
      copy->entry_map |= bit;
      copy->entries.insert(copy->entries.begin() + static_cast<std::ptrdiff_t>(at), std::move(entry));
      return copy;
    }
    if (copy->entries[at].first == entry.first) {
      copy->entries[at].second = std::move(entry.second);
      return copy;
    }
    // Two keys want one place: both move into a new child.
    Entry resident = std::move(copy->entries[at]);
    copy->entries.erase(copy->entries.begin() + static_cast<std::ptrdiff_t>(at));
    copy->entry_map &= ~bit;
    bool ignored = false;
    const std::uint64_t resident_hash = hash_of(resident.first);
    auto child = set_in(nullptr, resident_hash, shift + kBits, std::move(resident), ignored);
    child = set_in(child.get(), hash, shift + kBits, std::move(entry), added);
    copy->child_map |= bit;
    copy->children.insert(copy->children.begin() + static_cast<std::ptrdiff_t>(index(copy->child_map, bit)),
                          std::move(child));
    return copy;
  }

  // The key is known to be below `node`, and not alone in the whole map.
  static NodePtr erase_in(const Node& node, std::uint64_t hash, int shift, const Key& key) {
    auto copy = std::make_shared<Node>(node);
    if (shift >= 64) {
      std::erase_if(copy->entries, [&](const Entry& e) { return e.first == key; });
      return copy;
    }
    const std::uint32_t bit = bit_at(hash, shift);
    if (copy->entry_map & bit) {
      copy->entries.erase(copy->entries.begin() + static_cast<std::ptrdiff_t>(index(copy->entry_map, bit)));
      copy->entry_map &= ~bit;
      return copy;
    }
    const auto at = static_cast<std::ptrdiff_t>(index(copy->child_map, bit));
    auto child = erase_in(*copy->children[static_cast<std::size_t>(at)], hash, shift + kBits, key);
    if (child->children.empty() && child->entries.size() == 1) {
      copy->children.erase(copy->children.begin() + at);
      copy->child_map &= ~bit;
      copy->entries.insert(copy->entries.begin() + static_cast<std::ptrdiff_t>(index(copy->entry_map, bit)),
                           child->entries.front());
      copy->entry_map |= bit;
    } else {
      copy->children[static_cast<std::size_t>(at)] = std::move(child);
    }
    return copy;
  }

  template <class Visit>
  static void visit_node(const Node& node, Visit& visit) {
    for (const auto& entry : node.entries) visit(entry.first, entry.second);
    for (const auto& child : node.children) visit_node(*child, visit);
  }

  NodePtr root_;
  std::size_t size_ = 0;

 public:
  PersistentMap() = default;
};

}  // namespace vireo
