// PersistentMap: an immutable hash map whose versions share structure. Changing one copies one short path of nodes and
// leaves every older version as it was, which is what lets a version be published to readers without a lock.
//
// It is a trie over the bits of the hash, highest first, whose leaves are small buckets. What a lookup costs among many
// entries is the memory that it has to wait for, so nodes are laid out for that: an inner node is a plain array of 32
// children, few and soon in the cache; a leaf is one piece of memory, first 16 bits of each entry's hash, all compared
// at once, then the entries themselves, so that (nearly) only the entry asked for is touched. A subtree of at most
// `kLeafEntries` entries is a leaf, and a larger one is not, also after erasing: equal contents always have equal
// shape. Pure; a version may be read from any thread.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace vireo {

template <class Key, class Value, class Hash = std::hash<Key>>
class PersistentMap {
 public:
  using Entry = std::pair<Key, Value>;

  PersistentMap() = default;
  std::size_t size() const { return root_ ? root_->size : 0; }
  bool empty() const { return !root_; }

  // The value, or nullptr. Valid as long as some version that holds it lives. K may be anything that hashes and
  // compares like Key (a string_view for a string).
  template <class K>
  const Value* find(const K& key) const {
    const std::uint64_t hash = hash_of(key);
    const Node* node = root_.get();
    for (int shift = kFirstShift; node && !node->is_leaf; shift -= kBits)
      node = inner(*node).children[place(hash, shift)].get();
    if (!node) return nullptr;
    const Leaf& leaf = leaf_of(*node);
    const auto at = leaf.index_of(hash, key);
    return at < leaf.size ? &leaf.begin()[at].second : nullptr;
  }

  // A version in which key has value.
  [[nodiscard]] PersistentMap set(Key key, Value value) const {
    const std::uint64_t hash = hash_of(key);
    return PersistentMap(set_in(root_.get(), kFirstShift, {hash, Entry(std::move(key), std::move(value))}));
  }

  // A version without key; the same version if it was not there.
  [[nodiscard]] PersistentMap erase(const Key& key) const {
    if (!find(key)) return *this;
    return PersistentMap(erase_in(*root_, kFirstShift, hash_of(key), key));
  }

  // Calls visit(key, value) for every entry, in an order that depends on the hashes (and, where two are equal, on which
  // came first).
  template <class Visit>
  void for_each(Visit&& visit) const {
    if (root_) visit_entries(*root_, [&](const Entry& entry) { visit(entry.first, entry.second); });
  }

 private:
  static constexpr int kBits = 5;
  static constexpr int kFirstShift = 64 - kBits;
  static constexpr std::size_t kChildren = 32;
  static constexpr std::size_t kLeafEntries = 16;

  // Counts its references itself: a pointer to it is half as wide as a shared_ptr, and twice as many share a cache
  // line.
  struct Node {
    Node(bool leaf, std::uint32_t entries) : is_leaf(leaf), size(entries) {}
    Node(const Node& other) : is_leaf(other.is_leaf), size(other.size) {}  // a copy has its own references
    mutable std::atomic<std::uint32_t> references{1};
    const bool is_leaf;
    std::uint32_t size;  // entries in and below it
  };

  class Ref {
   public:
    Ref() = default;
    explicit Ref(const Node* made) : node_(made) {}  // takes over the first reference
    Ref(const Ref& other) : node_(other.node_) {
      if (node_) node_->references.fetch_add(1, std::memory_order_relaxed);
    }
    Ref(Ref&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
      std::swap(node_, other.node_);
      return *this;
    }
    ~Ref() {
      if (node_ && node_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(node_);
    }
    explicit operator bool() const { return node_ != nullptr; }
    const Node* get() const { return node_; }
    const Node& operator*() const { return *node_; }
    const Node* operator->() const { return node_; }

   private:
    const Node* node_ = nullptr;
  };

  struct Inner : Node {
    explicit Inner(std::uint32_t entries) : Node(false, entries) {}
    std::array<Ref, kChildren> children;
  };

  // Followed by its entries in the same piece of memory, sorted by hash.
  struct alignas(alignof(Entry) > 16 ? alignof(Entry) : 16) Leaf : Node {
    Leaf() : Node(true, 0) {}
    ~Leaf() { std::destroy_n(begin(), this->size); }
    std::array<std::uint16_t, kLeafEntries> tags{};

    Entry* begin() const { return reinterpret_cast<Entry*>(const_cast<Leaf*>(this) + 1); }
    std::span<const Entry> entries() const { return {begin(), this->size}; }
    // Bit i is set where entry i may be the one. Not for a leaf that holds more than it has tags for.
    std::uint32_t candidates(std::uint16_t wanted) const {
      std::uint32_t same = 0;
      for (std::size_t i = 0; i < kLeafEntries; ++i) same |= std::uint32_t{tags[i] == wanted} << i;
      return same & ((1U << this->size) - 1);
    }
    std::uint16_t tag_of(std::size_t i) const { return i < kLeafEntries ? tags[i] : std::uint16_t{0}; }
    // Where the key is; `size`: nowhere.
    template <class K>
    std::size_t index_of(std::uint64_t hash, const K& key) const {
      if (this->size > kLeafEntries) [[unlikely]] {  // hashes that collide in all that a path can tell apart
        std::size_t i = 0;
        while (i < this->size && !(begin()[i].first == key)) ++i;
        return i;
      }
      for (auto left = candidates(tag(hash)); left != 0; left &= left - 1) {
        const auto i = static_cast<std::size_t>(std::countr_zero(left));
        if (begin()[i].first == key) return i;
      }
      return this->size;
    }
    void append(std::uint16_t tag_of_it, Entry entry) {
      ::new (begin() + this->size) Entry(std::move(entry));
      if (this->size < kLeafEntries) tags[this->size] = tag_of_it;
      ++this->size;
    }
  };

  struct Hashed {
    std::uint64_t hash;
    Entry entry;
  };

  explicit PersistentMap(Ref root) : root_(std::move(root)) {}

  template <class K>
  static std::uint64_t hash_of(const K& key) {
    std::uint64_t h;
    if constexpr (std::is_same_v<K, Key>)
      h = Hash{}(key);
    else
      h = std::hash<K>{}(key);
    // std::hash of an integer is the integer; one multiplication spreads such keys over the upper bits, evenly.
    return h * 0x9E3779B97F4A7C15ULL;
  }
  static std::size_t place(std::uint64_t hash, int shift) { return (hash >> shift) & (kChildren - 1); }
  // The lowest bits: no path is ever so long that it uses them.
  static std::uint16_t tag(std::uint64_t hash) { return static_cast<std::uint16_t>(hash); }

  static const Inner& inner(const Node& node) { return static_cast<const Inner&>(node); }
  static const Leaf& leaf_of(const Node& node) { return static_cast<const Leaf&>(node); }

  static void destroy(const Node* node) {
    if (!node->is_leaf) {
      delete static_cast<const Inner*>(node);
      return;
    }
    const auto* leaf = static_cast<const Leaf*>(node);
    leaf->~Leaf();
    ::operator delete(const_cast<Leaf*>(leaf), std::align_val_t{alignof(Leaf)});
  }

  // An empty leaf with room for so many entries.
  static std::unique_ptr<Leaf, void (*)(Leaf*)> make_leaf(std::size_t room) {
    void* memory = ::operator new(sizeof(Leaf) + room * sizeof(Entry), std::align_val_t{alignof(Leaf)});
    return {::new (memory) Leaf, [](Leaf* leaf) { destroy(leaf); }};
  }

  // The subtree of these entries, which are sorted by hash and share all bits above `shift`'s.
  static Ref build(std::span<Hashed> all, int shift) {
    if (all.empty()) return {};
    if (all.size() <= kLeafEntries || shift < 0) {
      auto leaf = make_leaf(all.size());
      for (auto& one : all) leaf->append(tag(one.hash), std::move(one.entry));
      return Ref(leaf.release());
    }
    auto made = std::make_unique<Inner>(static_cast<std::uint32_t>(all.size()));
    for (std::size_t begin = 0; begin < all.size();) {
      const auto at = place(all[begin].hash, shift);
      auto end = begin;
      while (end < all.size() && place(all[end].hash, shift) == at) ++end;
      made->children[at] = build(all.subspan(begin, end - begin), shift - kBits);
      begin = end;
    }
    return Ref(made.release());
  }

  static Ref set_in(const Node* node, int shift, Hashed added) {
    if (!node) return build(std::span(&added, 1), shift);
    if (!node->is_leaf) {
      auto copy = std::make_unique<Inner>(inner(*node));
      auto& child = copy->children[place(added.hash, shift)];
      const auto before = child ? child->size : 0;
      child = set_in(child.get(), shift - kBits, std::move(added));
      copy->size += child->size - before;
      return Ref(copy.release());
    }
    const Leaf& leaf = leaf_of(*node);
    const auto at = leaf.index_of(added.hash, added.entry.first);
    if (at < leaf.size) {
      auto copy = make_leaf(leaf.size);
      for (std::size_t i = 0; i < leaf.size; ++i)
        copy->append(leaf.tag_of(i), i == at ? std::move(added.entry) : leaf.begin()[i]);
      return Ref(copy.release());
    }
    std::vector<Hashed> all;
    all.reserve(leaf.size + 1);
    for (const auto& entry : leaf.entries()) all.push_back({hash_of(entry.first), entry});
    const auto after = std::ranges::upper_bound(all, added.hash, {}, &Hashed::hash);
    all.insert(after, std::move(added));
    return build(all, shift);
  }

  // The key is known to be in or below `node`. Null: it was alone there.
  static Ref erase_in(const Node& node, int shift, std::uint64_t hash, const Key& key) {
    if (!node.is_leaf && node.size - 1 > kLeafEntries) {
      auto copy = std::make_unique<Inner>(inner(node));
      auto& child = copy->children[place(hash, shift)];
      child = erase_in(*child, shift - kBits, hash, key);
      --copy->size;
      return Ref(copy.release());
    }
    std::vector<Hashed> left;
    left.reserve(node.size);
    visit_entries(node, [&](const Entry& entry) {
      if (!(entry.first == key)) left.push_back({hash_of(entry.first), entry});
    });
    return build(left, shift);
  }

  template <class Visit>
  static void visit_entries(const Node& node, const Visit& visit) {
    if (node.is_leaf) {
      for (const auto& entry : leaf_of(node).entries()) visit(entry);
      return;
    }
    for (const auto& child : inner(node).children)
      if (child) visit_entries(*child, visit);
  }

  Ref root_;
};

}  // namespace vireo
