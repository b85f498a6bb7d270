// The tree itself, as all its users share it: the newest version, the transactions on older ones, and what each domain
// has of it. Every operation is done as a caller, either at once (without a transaction: a commit of its own) or within
// one. Pure: no I/O, no clock, and one thread at a time.
//
// Errors are errno values, those of xs_wire.h: EINVAL what cannot be, ENOENT no such node, EACCES and EPERM not
// allowed, EROFS a part that somebody else keeps, ENOSPC more than a limit allows, EAGAIN a transaction that lost.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "tree/accounts.hpp"
#include "tree/change.hpp"
#include "tree/directory.hpp"
#include "tree/draft.hpp"
#include "tree/limits.hpp"
#include "tree/node.hpp"
#include "tree/outcome.hpp"
#include "tree/path.hpp"
#include "tree/permissions.hpp"
#include "tree/transaction.hpp"

namespace vireo::tree {

// A node's children.
class Listing {
 public:
  explicit Listing(const Node& node) : node_(&node) {}
  // Their names, each followed by a zero byte; how many bytes that is in all, and some of them (see directory.hpp).
  std::size_t bytes() const { return node_->children() ? node_->children()->names_bytes() : 0; }
  std::string_view names(std::size_t offset, std::size_t most, std::string& room) const {
    return node_->children() ? node_->children()->names(offset, most, room) : std::string_view();
  }
  // Another one when the node has changed: its value, its permissions or its children.
  std::uint64_t generation() const { return node_->stamp(); }

 private:
  const Node* node_;
};

class Store {
 public:
  using Listener = std::function<void(const Commit&)>;
  // What a client wants to do at a path.
  struct Wish {
    Path path;
    Change::Kind kind = Change::Kind::written;  // made or written
    std::string_view value = {};                // to be written
  };
  // 0: it may; or the errno that it is refused with. Asked of every change of clients but not of keep()'s, and of those
  // of a transaction again when it is committed on a newer version.
  using Guard = std::function<int(const Wish&)>;

  // An empty tree: a root that domain 0 owns and nobody else may use, as Xen's servers begin.
  Store();

  // `listener` hears of every commit that changed something, in order, and must not change the tree.
  void listen(Listener listener) { listeners_.push_back(std::move(listener)); }
  void guard(Guard guard) { guard_ = std::move(guard); }

  // What follows works on the newest version, or where a transaction is given on that. Values, listings and permissions
  // are valid until the next call.
  Outcome<std::string_view> read(const Caller& caller, Transaction* in, Path path);
  Outcome<Listing> list(const Caller& caller, Transaction* in, Path path);
  Outcome<const Permissions*> permissions(const Caller& caller, Transaction* in, Path path);
  // Makes the node if need be, and its parents, with empty values. EINVAL: the value has more than Node::max_value
  // bytes.
  Outcome<void> write(const Caller& caller, Transaction* in, Path path, std::string_view value);
  // Makes the node and its parents; one that exists stays as it is.
  Outcome<void> make(const Caller& caller, Transaction* in, Path path);
  // Removes the node with all below it. ENOENT: not even its parent exists. EINVAL: the root.
  Outcome<void> remove(const Caller& caller, Transaction* in, Path path);
  Outcome<void> set_permissions(const Caller& caller, Transaction* in, Path path, Permissions permissions);

  // O(1) at any size of the tree.
  std::unique_ptr<Transaction> begin(const Caller& caller);
  // EAGAIN: something that the transaction was told is not so any more. ENOSPC: a limit is passed by now. To abort a
  // transaction, destroy it.
  Outcome<void> commit(std::unique_ptr<Transaction> transaction);

  // The daemon's own part: several changes as one commit, without regard to limits, guard and permissions.
  class Keeper {
   public:
    void write(Path path, std::string_view value);
    void remove(Path path);
    void set_permissions(Path path, Permissions permissions);

   private:
    friend class Store;
    explicit Keeper(Draft draft) : draft_(draft) {}
    void note(Outcome<std::optional<Change>> done);
    Draft draft_;
    std::vector<std::unique_ptr<std::string>> paths_;
    std::vector<Change> changes_;
  };
  void keep(const std::function<void(Keeper&)>& changes);

  // Frees part of what nobody needs any more, at most so many pieces of old versions and as many steps of transactions
  // that have ended; true: there is more.
  bool tidy(std::size_t pieces);

  const Node& root() const { return *root_; }
  const Node* find(Path path) const { return tree::find(*root_, path); }
  Quotas& quotas() { return quotas_; }
  // What each domain has. Domains that have just removed much have it counted off soon.
  const Accounts& accounts() const { return accounts_; }
  // The same of one domain with all counted off, which takes as long as what was removed just now is large.
  Usage usage_of(DomainId domain);

  struct Figures {
    std::uint64_t commits = 0;       // that changed something
    std::uint64_t transactions = 0;  // begun
    std::uint64_t conflicts = 0;     // ended with EAGAIN
  };
  const Figures& figures() const { return figures_; }
  std::uint64_t open_transactions() const { return transactions_.open(); }

 private:
  Draft newest() { return {root_, accounts_, nullptr, &quotas_, stamp_}; }
  int guarded(const Wish& wish) const { return guard_ ? guard_(wish) : 0; }
  Outcome<const Node*> see(const Caller& caller, Transaction* in, Path path, Transaction::What what);
  // One change, at once or within a transaction; `act` is done on the draft that it is given.
  template <class Act>
  Outcome<void> change(const Caller& caller, Transaction* in, const Wish& wish, Transaction::Step step, const Act& act);
  static Change::Kind kind_of(Transaction::What what);
  // What a step of a log does to a draft.
  static Outcome<std::optional<Change>> redo(Draft& draft, const Caller& caller, const Transaction::Step& step);
  // The whole log once more.
  Outcome<void> replay(Transaction& transaction);
  void tell(std::span<const Change> changes);

  NodeRef root_;
  Accounts accounts_;
  Quotas quotas_;
  std::uint64_t stamp_ = 0;
  Transaction::All transactions_;
  Figures figures_;
  Guard guard_;
  std::vector<Listener> listeners_;
};

}  // namespace vireo::tree
