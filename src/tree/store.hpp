// The tree itself, as all its users share it: the newest version, the transactions on older ones, and what each domain
// has of it. Every operation is done as a caller, either at once (without a transaction: a commit of its own) or within
// one. Pure: no I/O, no clock, and one thread at a time.
//
// Errors are errno values, those of xs_wire.h: EINVAL what cannot be, ENOENT no such node, EACCES and EPERM not allowed,
// EROFS a part that somebody else keeps, ENOSPC more than a limit allows, EAGAIN a transaction that lost.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string_view>

#include "tree/accounts.hpp"
#include "tree/change.hpp"
#include "tree/limits.hpp"
#include "tree/node.hpp"
#include "tree/path.hpp"
#include "tree/permissions.hpp"
#include "tree/transaction.hpp"

namespace vireo::tree {

template <class T>
using Outcome = std::expected<T, int>;

// A node's children: their names, each followed by a zero byte, in the order of the alphabet.
struct Listing {
  std::string_view names;
  std::uint64_t generation = 0;  // another one when the node has changed: its value, its permissions or its children
};

class Store {
 public:
  using Listener = std::function<void(const Commit&)>;
  // Whether clients may change what is at a path; asked for every change of theirs but not for keep()'s.
  using Guard = std::function<bool(Path)>;

  Store();

  // `listener` hears of every commit that changed something, in order, and must not change the tree.
  void listen(Listener listener) { listeners_.push_back(std::move(listener)); }
  void guard(Guard guard) { guard_ = std::move(guard); }

  // What follows works on the newest version, or where a transaction is given on that. Values, listings and permissions
  // are valid until the next call.
  Outcome<std::string_view> read(const Caller& caller, Transaction* in, Path path);
  Outcome<Listing> list(const Caller& caller, Transaction* in, Path path);
  Outcome<const Permissions*> permissions(const Caller& caller, Transaction* in, Path path);
  // Makes the node if need be, and its parents, with empty values.
  Outcome<void> write(const Caller& caller, Transaction* in, Path path, std::string_view value);
  // Makes the node and its parents; one that exists stays as it is.
  Outcome<void> make(const Caller& caller, Transaction* in, Path path);
  // Removes the node with all below it. ENOENT: not even its parent exists. EINVAL: the root.
  Outcome<void> remove(const Caller& caller, Transaction* in, Path path);
  Outcome<void> set_permissions(const Caller& caller, Transaction* in, Path path, Permissions permissions);

  // O(1) at any size of the tree. ENOSPC: the caller has too many open.
  Outcome<std::unique_ptr<Transaction>> begin(const Caller& caller);
  // EAGAIN: something that the transaction was told is not so any more. ENOSPC: a limit is passed by now. To abort a
  // transaction, destroy it.
  Outcome<void> commit(std::unique_ptr<Transaction> transaction);

  // The daemon's own part. Several changes as one commit, without regard to limits, guard and permissions: changes(edit)
  // calls edit.write(…) and the like.
  class Keeper;
  void keep(const std::function<void(Keeper&)>& changes);

  // Frees part of what no version holds any more, at most so many pieces; true: there is more.
  bool tidy(std::size_t pieces);

  const Node& root() const { return *root_; }
  const Node* find(Path path) const;
  Quotas& quotas() { return quotas_; }
  const Accounts& accounts() const { return accounts_; }

  // What has happened so far.
  struct Figures {
    std::uint64_t commits = 0;       // that changed something
    std::uint64_t transactions = 0;  // begun
    std::uint64_t open = 0;
    std::uint64_t conflicts = 0;     // ended with EAGAIN
  };
  Figures figures() const;
};

}  // namespace vireo::tree
