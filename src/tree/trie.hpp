// The pieces of a directory's trie. Only directory.cpp changes them; who walks over nodes step by step reads them.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "tree/node.hpp"
#include "tree/piece.hpp"

namespace vireo::tree {

// A step on the way: the branch is chosen by four bits of the hash, the highest first.
class Inner final : public Piece {
 public:
  static constexpr std::size_t ways = 16;
  Inner() : Piece(Kind::inner) {}
  explicit Inner(const Inner& other)
      : Piece(Kind::inner), size(other.size), names_bytes(other.names_bytes), branches(other.branches) {}

  std::uint32_t size = 0;         // nodes below
  std::uint32_t names_bytes = 0;  // of their names in a listing, each with its zero byte
  std::array<Ref<Piece>, ways> branches;
};

// The end of the way: nodes, and beside each 16 bits of its name's hash that the way has not used. Followed in the same
// piece of memory by room for `capacity` references and as many tags.
class Leaf final : public Piece {
 public:
  static constexpr std::size_t usual = 16;  // more only where hashes are alike in all that a way can tell apart

  static Ref<Leaf> create(std::size_t capacity);
  static void destroy(const Leaf* leaf);

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  std::span<NodeRef> nodes() { return {slots(), size_}; }
  std::span<const NodeRef> nodes() const { return {const_cast<Leaf*>(this)->slots(), size_}; }
  std::span<const std::uint16_t> tags() const { return {const_cast<Leaf*>(this)->tag_slots(), size_}; }

  // Where the node is; size(): nowhere.
  std::size_t index_of(std::uint16_t tag, std::string_view name) const {
    const auto all = tags();
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i] == tag && nodes()[i]->name() == name) return i;
    return all.size();
  }
  // There is room for it.
  void append(std::uint16_t tag, NodeRef node);
  NodeRef take(std::size_t index);

 private:
  explicit Leaf(std::size_t capacity) : Piece(Kind::leaf), capacity_(static_cast<std::uint32_t>(capacity)) {}
  ~Leaf();
  NodeRef* slots() { return reinterpret_cast<NodeRef*>(this + 1); }
  std::uint16_t* tag_slots() { return reinterpret_cast<std::uint16_t*>(slots() + capacity_); }

  std::uint32_t size_ = 0;
  std::uint32_t capacity_;
};
static_assert(sizeof(Leaf) % alignof(NodeRef) == 0);

}  // namespace vireo::tree
