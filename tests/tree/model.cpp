// The simple tree's operations.
#include "tests/tree/model.hpp"

#include <fmt/format.h>

namespace vireo::tests {

using tree::allow;
using tree::Caller;
using tree::Permissions;
using tree::Rights;

namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool below(const std::string& path, const std::string& above) {
  return path != above && (above == "/" || path.starts_with(above + "/"));
}

// As xenstore's text has it, written without a look at the tree's own.
bool may(const Model::Node& node, const Caller& caller, Rights wanted) {
  if (caller.domain == 0 || node.permissions[0].domain == caller.domain) return true;
  for (std::size_t i = 1; i < node.permissions.size(); ++i)
    if (node.permissions[i].domain == caller.domain) return allow(node.permissions[i].rights, wanted);
  return allow(node.permissions[0].rights, wanted);
}

// The node itself, or the nearest above it that is there.
const std::string nearest(const Model::Nodes& nodes, std::string path) {
  while (!nodes.contains(path)) path = parent_of(path);
  return path;
}

std::string permissions_text(const Permissions& list) {
  std::string out;
  for (const auto& each : list) out += each.text() + " ";
  return out;
}

}  // namespace

std::string Operation::text() const {
  static constexpr const char* names[] = {"read", "list", "permissions", "write", "make", "remove", "set_permissions"};
  return fmt::format("{} {} {}{} as {}", names[static_cast<int>(kind)], path, value, permissions_text(given),
                     caller.domain);
}

Model::Model() { nodes_["/"] = {.value = "", .permissions = {{.domain = 0, .rights = Rights::read}}}; }

int Model::owned(const Nodes& nodes, tree::DomainId domain) {
  int count = 0;
  for (const auto& [path, node] : nodes) count += node.permissions[0].domain == domain ? 1 : 0;
  return count;
}

std::string Model::apply(Nodes& nodes, const Operation& op, int elsewhere, std::vector<Happened>& happened) {
  using Kind = Operation::Kind;
  const auto at = nearest(nodes, op.path);
  const bool there = at == op.path;
  if (op.kind == Kind::remove && op.path == "/") return "EINVAL";
  if (!may(nodes[at], op.caller, op.changes() ? Rights::write : Rights::read)) return "EACCES";
  switch (op.kind) {
    case Kind::read:
      return there ? "= " + nodes[at].value : "ENOENT";
    case Kind::permissions:
      return there ? "= " + permissions_text(nodes[at].permissions) : "ENOENT";
    case Kind::list: {
      if (!there) return "ENOENT";
      std::string out = "= ";
      for (const auto& [path, node] : nodes)
        if (path != "/" && parent_of(path) == op.path) out += path.substr(path.rfind('/') + 1) + " ";
      return out;
    }
    case Kind::make:
      if (there) return "OK";
      [[fallthrough]];
    case Kind::write: {
      if (there) {
        nodes[at].value = op.value;
      } else {
        std::vector<std::string> missing;
        for (auto path = op.path; path != at; path = parent_of(path)) missing.push_back(path);
        auto permissions = nodes[at].permissions;
        if (op.caller.domain != 0) permissions[0].domain = op.caller.domain;
        if (op.caller.domain != 0 &&
            owned(nodes, op.caller.domain) + elsewhere + static_cast<int>(missing.size()) > most_nodes)
          return "ENOSPC";
        for (const auto& path : missing)
          nodes[path] = {.value = path == op.path ? op.value : "", .permissions = permissions};
      }
      happened.push_back({.kind = 'w', .path = op.path, .gone = {}});
      return "OK";
    }
    case Kind::remove: {
      if (!there) return at == parent_of(op.path) ? "OK" : "ENOENT";
      Happened removal{.kind = 'r', .path = op.path, .gone = {op.path}};
      for (const auto& [path, node] : nodes)
        if (below(path, op.path)) removal.gone.insert(path);
      for (const auto& path : removal.gone) nodes.erase(path);
      happened.push_back(std::move(removal));
      return "OK";
    }
    case Kind::set_permissions: {
      if (!there) return "ENOENT";
      const auto owner = nodes[at].permissions[0].domain;
      if (op.caller.domain != 0 && owner != op.caller.domain) return "EACCES";
      if (op.caller.domain != 0 && op.given[0].domain != owner) return "EPERM";
      nodes[at].permissions = op.given;
      happened.push_back({.kind = 'p', .path = op.path, .gone = {}});
      return "OK";
    }
  }
  return "";
}

std::string Model::act(Transaction* in, const Operation& op) {
  if (!in) {
    happened_.clear();
    return apply(nodes_, op, 0, happened_);
  }
  // What others have done meanwhile counts, too.
  const int elsewhere = owned(nodes_, op.caller.domain) - owned(in->base, op.caller.domain);
  std::vector<Happened> done;
  auto answer = apply(in->own, op, elsewhere, done);
  if (answer == "ENOSPC") return answer;
  in->changed = in->changed || !done.empty();
  in->log.emplace_back(op, answer);
  return answer;
}

std::string Model::commit(const Transaction& transaction) {
  happened_.clear();
  if (!transaction.changed) return "OK";
  Nodes next = nodes_;
  std::vector<Happened> happened;
  for (const auto& [op, answer] : transaction.log) {
    auto now = apply(next, op, 0, happened);
    if (now == "ENOSPC") return now;
    if (now != answer) return "EAGAIN";
  }
  nodes_ = std::move(next);
  happened_ = std::move(happened);
  return "OK";
}

}  // namespace vireo::tests
