// The children of one node, found by name: a trie over the bits of the names' hashes, 16 ways at each step, whose
// leaves hold up to 16 nodes with 16 bits of each hash beside them, so that a lookup (nearly) only touches the node
// that it finds. A change copies the pieces on its way that are shared and leaves the others where they are (see
// piece.hpp).
//
// The names in the order of the alphabet, as a listing needs them, are put together when somebody asks and kept until a
// child comes or goes. Of very many names that would take long; they are told in the order of the trie, which is
// another one only when a child comes or goes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "tree/node.hpp"
#include "tree/piece.hpp"

namespace vireo::tree {

class Directory final : public Piece {
 public:
  Directory() : Piece(Kind::directory) {}
  // The same children.
  explicit Directory(const Directory& other);

  std::uint32_t size() const { return size_; }
  const Node* find(std::string_view name) const;
  // How long all names are, each followed by a zero byte.
  std::size_t names_bytes() const { return names_bytes_; }
  // From the byte `offset` of them on as many whole ones as have room in `most` bytes. Valid until a child comes or
  // goes, or `room`, where they may be put together, is used for something else.
  std::string_view names(std::size_t offset, std::size_t most, std::string& room) const;
  // Costs what differs between two versions of one directory.
  bool has_same_names(const Directory& other) const;

  // The trie, for who walks over all of them (see trie.hpp); null: there is none.
  const Ref<Piece>& top() const { return top_; }

  // Changes, for a directory that is not shared.
  void insert(NodeRef node);
  NodeRef erase(std::string_view name);  // of a child that is there
  NodeRef* slot(std::string_view name);  // null: there is no such child

 private:
  friend class Limbo;
  const std::string& sorted() const;

  std::uint32_t size_ = 0;
  std::uint32_t names_bytes_ = 0;
  Ref<Piece> top_;
  mutable std::unique_ptr<std::string> sorted_;
};

}  // namespace vireo::tree
