// The operations on one version.
#include "tree/draft.hpp"

#include <algorithm>
#include <cerrno>

namespace vireo::tree {

namespace {

// What a node of that much counts, as the limit `node-size` has it: its name, its value and its permissions.
std::size_t counted_size(std::string_view name, std::string_view value, const Permissions& permissions) {
  return name.size() + value.size() + permissions.size() * sizeof(Permission);
}

// As whom a new node below `parent` stands: as the parent, but with its maker for an owner.
PermissionsRef inherited(const Node& parent, const Caller& caller) {
  if (caller.privileged() || parent.owner() == caller.domain) return parent.shared_permissions();
  auto list = parent.permissions();
  list.front().domain = caller.domain;
  return PermissionsRef(new SharedPermissions(std::move(list)));
}

}  // namespace

const Node* find(const Node& root, Path path) {
  const Node* node = &root;
  for (Path::Parts left(path); node && !left.done();) node = node->child(left.next());
  return node;
}

Outcome<const Node*> look(const Node& root, const Caller& caller, Path path, Rights wanted) {
  const Node* node = &root;
  const Node* next = node;
  for (Path::Parts left(path); !left.done(); node = next)
    if (next = node->child(left.next()); !next) break;
  if (!allows(node->permissions(), caller, wanted)) return refuse(EACCES);
  if (!next) return refuse(ENOENT);
  return node;
}

bool Draft::fits(const Caller& caller, DomainId owner, std::int64_t nodes, std::int64_t bytes) {
  if (!quotas || owner != caller.domain) return true;
  const Limits& limits = quotas->of(owner);
  const auto too_much = [&] {
    Usage have = accounts.of(owner);
    if (counted) {
      const Usage more = counted->of(owner);
      have.nodes += more.nodes;
      have.bytes += more.bytes;
    }
    return (nodes > 0 && limits.nodes > 0 && have.nodes + nodes > limits.nodes) ||
           (bytes > 0 && limits.memory > 0 && have.bytes + bytes > limits.memory);
  };
  if (!too_much()) return true;
  while (accounts.settle(1'000)) {
  }
  while (counted && counted->settle(1'000)) {
  }
  return !too_much();
}

Outcome<void> Draft::create_below(Node& parent, const Caller& caller, Path::Parts missing, std::string_view value) {
  if (!allows(parent.permissions(), caller, Rights::write)) return refuse(EACCES);
  auto permissions = inherited(parent, caller);
  const auto& list = permissions->list();
  std::int64_t nodes = 0, bytes = 0;
  std::string_view last;
  for (auto left = missing; !left.done(); ++nodes) {
    last = left.next();
    bytes += static_cast<std::int64_t>(sizeof(Node) + last.size());
  }
  if (quotas) {
    const auto most = quotas->of(caller.domain).node_size;
    if (most > 0 && counted_size(last, value, list) > most) return refuse(ENOSPC);
    if (!fits(caller, list.front().domain, nodes, bytes + static_cast<std::int64_t>(value.size())))
      return refuse(ENOSPC);
  }
  for (Node* at = &parent; !missing.done();) {
    const auto part = missing.next();
    auto child = Node::create(part, missing.done() ? value : std::string_view(), permissions, stamp);
    accounts.add(*child);
    Node* made = child.get();
    at->add_child(std::move(child), stamp);
    at = made;  // new, so nobody shares it
  }
  return {};
}

NodeRef& Draft::reach(Path path) {
  NodeRef* slot = &root;
  for (Path::Parts left(path); !left.done();) slot = Node::own(*slot).child_slot(left.next());
  return *slot;
}

Outcome<std::optional<Change>> Draft::write(const Caller& caller, Path path, std::string_view value) {
  ++stamp;
  NodeRef* slot = &root;
  for (Path::Parts left(path); !left.done();) {
    Node& node = Node::own(*slot);
    const auto missing = left;
    slot = node.child_slot(left.next());
    if (slot) continue;
    if (auto made = create_below(node, caller, missing, value); !made) return refuse(made.error());
    return Change{.path = path};
  }
  const Node& node = **slot;
  if (!allows(node.permissions(), caller, Rights::write)) return refuse(EACCES);
  const auto more = static_cast<std::int64_t>(value.size()) - static_cast<std::int64_t>(node.value().size());
  if (quotas && more > 0) {
    const auto most = quotas->of(caller.domain).node_size;
    if (most > 0 && counted_size(node.name(), value, node.permissions()) > most) return refuse(ENOSPC);
    if (!fits(caller, node.owner(), 0, more)) return refuse(ENOSPC);
  }
  if (more != 0) accounts.take_off(node);
  Node::own(*slot);
  Node::set_value(*slot, value, stamp);
  if (more != 0) accounts.add(**slot);
  return Change{.path = path};
}

Outcome<std::optional<Change>> Draft::make(const Caller& caller, Path path) {
  if (const Node* node = find(*root, path)) {
    if (!allows(node->permissions(), caller, Rights::write)) return refuse(EACCES);
    return std::nullopt;
  }
  return write(caller, path, {});
}

Outcome<std::optional<Change>> Draft::remove(const Caller& caller, Path path) {
  if (path.is_root()) return refuse(EINVAL);
  auto node = look(*root, caller, path, Rights::write);
  if (!node) {
    if (node.error() == ENOENT && find(*root, path.parent())) return std::nullopt;
    return refuse(node.error());
  }
  ++stamp;
  Change change{.path = path, .kind = Change::Kind::removed};
  change.gone = Node::own(reach(path.parent())).remove_child(path.name(), stamp);
  accounts.take_off_all(change.gone);
  return change;
}

Outcome<std::optional<Change>> Draft::set_permissions(const Caller& caller, Path path, Permissions permissions) {
  auto node = look(*root, caller, path, Rights::write);
  if (!node) return refuse(node.error());
  if (!owns(caller, (*node)->permissions())) return refuse(EACCES);
  if (!caller.privileged() && permissions.front().domain != (*node)->owner()) return refuse(EPERM);
  if (quotas) {
    const auto& limits = quotas->of(caller.domain);
    if (limits.permissions > 0 && permissions.size() > limits.permissions) return refuse(ENOSPC);
    if (limits.node_size > 0 && counted_size((*node)->name(), (*node)->value(), permissions) > limits.node_size)
      return refuse(ENOSPC);
  }
  ++stamp;
  NodeRef& slot = reach(path);
  accounts.take_off(*slot);
  Node::own(slot).set_permissions(PermissionsRef(new SharedPermissions(std::move(permissions))), stamp);
  accounts.add(*slot);
  return Change{.path = path, .kind = Change::Kind::permissions};
}

}  // namespace vireo::tree
