// One node: its name, value, permissions and children, and a stamp that no other state of any node has. Name and value
// lie in the same piece of memory as the rest; a small node takes some 64 bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "tree/permissions.hpp"
#include "tree/piece.hpp"

namespace vireo::tree {

class Directory;
class Node;
using NodeRef = Ref<Node>;

// A node's permissions, shared by all nodes that inherited them.
class SharedPermissions final : public Piece {
 public:
  explicit SharedPermissions(Permissions list) : Piece(Kind::permissions), list_(std::move(list)) {}
  const Permissions& list() const { return list_; }

 private:
  const Permissions list_;
};
using PermissionsRef = Ref<SharedPermissions>;

class Node final : public Piece {
 public:
  static constexpr std::size_t max_value = 4096;  // XENSTORE_PAYLOAD_MAX: no message carries more

  // Name and value as they are; both fit (see path.hpp and max_value).
  static NodeRef create(std::string_view name, std::string_view value, PermissionsRef permissions, std::uint64_t stamp);
  ~Node();

  std::string_view name() const { return {text(), name_size_}; }
  std::string_view value() const { return {text() + name_size_, value_size_}; }
  const Permissions& permissions() const { return permissions_->list(); }
  const PermissionsRef& shared_permissions() const { return permissions_; }
  DomainId owner() const { return permissions().front().domain; }
  // Another one after every change of the node itself: of its value, its permissions or the names of its children.
  std::uint64_t stamp() const { return stamp_; }
  // Null: it has no children.
  const Directory* children() const { return directory_.get(); }
  const Node* child(std::string_view name) const;
  // What it takes, about: its bytes and what holding them costs.
  std::size_t bytes() const { return sizeof(Node) + name_size_ + value_size_ + 24; }

  // Changes, for a node that is not shared. set_value may need another piece of memory, so it takes the reference.
  static void set_value(NodeRef& node, std::string_view value, std::uint64_t stamp);
  void set_permissions(PermissionsRef permissions, std::uint64_t stamp) {
    permissions_ = std::move(permissions);
    stamp_ = stamp;
  }
  void add_child(NodeRef child, std::uint64_t stamp);
  NodeRef remove_child(std::string_view name, std::uint64_t stamp);
  // Where the reference to a child is kept, in pieces that are not shared; null: there is none.
  NodeRef* child_slot(std::string_view name);

  // Makes sure that this is the only reference to its node, which is copied if it is not.
  static Node& own(NodeRef& node);

 private:
  friend class Limbo;
  Node(std::string_view name, std::string_view value, PermissionsRef permissions, std::uint64_t stamp);
  static void destroy(const Node* node);
  char* text() { return reinterpret_cast<char*>(this + 1); }
  const char* text() const { return reinterpret_cast<const char*>(this + 1); }

  std::uint16_t name_size_;
  std::uint64_t stamp_ : 48;
  std::uint64_t value_size_ : 16;
  PermissionsRef permissions_;
  Ref<Directory> directory_;
};

}  // namespace vireo::tree
