// Nodes in memory: one piece each, with the name and then the value behind it.
#include "tree/node.hpp"

#include <algorithm>
#include <new>

#include "tree/directory.hpp"

namespace vireo::tree {

Node::Node(std::string_view name, std::string_view value, PermissionsRef permissions, std::uint64_t stamp)
    : Piece(Kind::node),
      name_size_(static_cast<std::uint16_t>(name.size())),
      stamp_(stamp),
      value_size_(static_cast<std::uint16_t>(value.size())),
      permissions_(std::move(permissions)) {
  std::ranges::copy(value, std::ranges::copy(name, text()).out);
}
Node::~Node() = default;

NodeRef Node::create(std::string_view name, std::string_view value, PermissionsRef permissions, std::uint64_t stamp) {
  void* memory = ::operator new(sizeof(Node) + name.size() + value.size());
  return NodeRef(::new (memory) Node(name, value, std::move(permissions), stamp));
}

void Node::destroy(const Node* node) {
  node->~Node();
  ::operator delete(const_cast<Node*>(node));
}

const Node* Node::child(std::string_view name) const { return directory_ ? directory_->find(name) : nullptr; }

Node& Node::own(NodeRef& node) {
  if (node->shared()) {
    auto copy = create(node->name(), node->value(), node->permissions_, node->stamp_);
    copy->directory_ = node->directory_;
    node = std::move(copy);
  }
  return *node;
}

void Node::set_value(NodeRef& node, std::string_view value, std::uint64_t stamp) {
  if (value.size() == node->value_size_) {
    std::ranges::copy(value, node->text() + node->name_size_);
    node->stamp_ = stamp;
    return;
  }
  auto next = create(node->name(), value, std::move(node->permissions_), stamp);
  next->directory_ = std::move(node->directory_);
  node = std::move(next);
}

namespace {

Directory& own(Ref<Directory>& directory) {
  if (directory->shared()) directory = Ref(new Directory(*directory));
  return *directory;
}

}  // namespace

void Node::add_child(NodeRef child, std::uint64_t stamp) {
  if (!directory_) directory_ = Ref(new Directory);
  vireo::tree::own(directory_).insert(std::move(child));
  stamp_ = stamp;
}

NodeRef Node::remove_child(std::string_view name, std::uint64_t stamp) {
  stamp_ = stamp;
  if (directory_->size() > 1) return vireo::tree::own(directory_).erase(name);
  NodeRef child = *vireo::tree::own(directory_).slot(name);
  directory_ = {};
  return child;
}

NodeRef* Node::child_slot(std::string_view name) {
  return directory_ ? vireo::tree::own(directory_).slot(name) : nullptr;
}

}  // namespace vireo::tree
