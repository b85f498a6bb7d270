// A version that is being changed: what an operation does to it, whoever keeps it. The newest version is changed by
// those who do without a transaction, a transaction's own by the transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tree/accounts.hpp"
#include "tree/change.hpp"
#include "tree/limits.hpp"
#include "tree/node.hpp"
#include "tree/outcome.hpp"
#include "tree/path.hpp"
#include "tree/permissions.hpp"

namespace vireo::tree {

// The node at a path, or null.
const Node* find(const Node& root, Path path);
// The node at a path, for somebody who wants to do such with it. EACCES: may not, or may not know that there is none.
Outcome<const Node*> look(const Node& root, const Caller& caller, Path path, Rights wanted);

struct Draft {
  NodeRef& root;
  Accounts& accounts;    // what this version has more or less than `counted`
  Accounts* counted;     // null: nothing is counted elsewhere
  const Quotas* quotas;  // null: nobody is bound
  std::uint64_t& stamp;  // the last one given; shared by all drafts

  // Errors as in store.hpp. Nothing: there was nothing to change.
  Outcome<std::optional<Change>> write(const Caller& caller, Path path, std::string_view value);
  Outcome<std::optional<Change>> make(const Caller& caller, Path path);
  Outcome<std::optional<Change>> remove(const Caller& caller, Path path);
  Outcome<std::optional<Change>> set_permissions(const Caller& caller, Path path, Permissions permissions);

 private:
  bool fits(const Caller& caller, DomainId owner, std::int64_t nodes, std::int64_t bytes);
  Outcome<void> create_below(Node& parent, const Caller& caller, Path::Parts missing, std::string_view value);
  // The reference to a node that is there; nothing on the way is shared any more.
  NodeRef& reach(Path path);
};

}  // namespace vireo::tree
