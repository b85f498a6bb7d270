// Operations on the newest version and on transactions', and how a transaction becomes the newest version.
#include "tree/store.hpp"

#include <cerrno>

namespace vireo::tree {

namespace {

// Each operation frees about as much as it may have left behind.
constexpr std::size_t pieces_at_once = 32;

}  // namespace

Store::Store() : root_(Node::create({}, {}, PermissionsRef(new SharedPermissions({{.domain = 0}})), 0)) {
  accounts_.add(*root_);
}

Outcome<const Node*> Store::see(const Caller& caller, Transaction* in, Path path, Transaction::What what) {
  auto seen = look(in ? *in->root_ : *root_, caller, path, Rights::read);
  if (!in) return seen;
  const auto& limits = quotas_.of(caller.domain);
  auto* at = in->touch(path, limits);
  if (!at) return refuse(ENOSPC);
  if (!in->is_in_log(at->second, what)) {
    Transaction::Step step{.what = what, .at = at, .error = seen ? 0 : seen.error()};
    if (seen) step.seen = Ref<const Node>(*seen);
    if (!in->log(std::move(step), limits)) return refuse(ENOSPC);
    in->note_in_log(at->second, what);
  }
  return seen;
}

Outcome<std::string_view> Store::read(const Caller& caller, Transaction* in, Path path) {
  const auto node = see(caller, in, path, Transaction::What::value);
  if (!node) return refuse(node.error());
  return (*node)->value();
}

Outcome<Listing> Store::list(const Caller& caller, Transaction* in, Path path) {
  const auto node = see(caller, in, path, Transaction::What::children);
  if (!node) return refuse(node.error());
  return Listing(**node);
}

Outcome<const Permissions*> Store::permissions(const Caller& caller, Transaction* in, Path path) {
  const auto node = see(caller, in, path, Transaction::What::permissions);
  if (!node) return refuse(node.error());
  return &(*node)->permissions();
}

template <class Act>
Outcome<void> Store::change(const Caller& caller, Transaction* in, const Wish& wish, Transaction::Step step,
                            const Act& act) {
  if (const int error = guarded(wish)) return refuse(error);
  if (!in) {
    Draft draft = newest();
    auto done = act(draft);
    if (!done) return refuse(done.error());
    if (*done) tell({&**done, 1});
    return {};
  }
  const auto& limits = quotas_.of(caller.domain);
  step.at = in->touch(wish.path, limits);
  if (!step.at || !in->has_room(step, limits)) return refuse(ENOSPC);
  Draft draft{in->root_, in->accounts_, &accounts_, &quotas_, stamp_};
  auto done = act(draft);
  if (!done && done.error() == ENOSPC) return refuse(ENOSPC);  // says nothing of the tree
  if (done && *done) {
    step.changed = true;
    step.gone = (*done)->gone;
    ++in->changes_;
  }
  if (!done) step.error = done.error();
  (void)in->log(std::move(step), limits);
  if (!done) return refuse(done.error());
  return {};
}

Change::Kind Store::kind_of(Transaction::What what) {
  return what == Transaction::What::remove            ? Change::Kind::removed
         : what == Transaction::What::set_permissions ? Change::Kind::permissions
                                                      : Change::Kind::written;
}

Outcome<void> Store::write(const Caller& caller, Transaction* in, Path path, std::string_view value) {
  if (value.size() > Node::max_value) return refuse(EINVAL);
  return change(caller, in, {.path = path, .value = value},
                in ? Transaction::Step{.what = Transaction::What::write, .value = std::string(value)}
                   : Transaction::Step{.what = Transaction::What::write},
                [&](Draft& draft) { return draft.write(caller, path, value); });
}

Outcome<void> Store::make(const Caller& caller, Transaction* in, Path path) {
  return change(caller, in, {.path = path}, {.what = Transaction::What::make},
                [&](Draft& draft) { return draft.make(caller, path); });
}

Outcome<void> Store::remove(const Caller& caller, Transaction* in, Path path) {
  return change(caller, in, {.path = path, .kind = Change::Kind::removed}, {.what = Transaction::What::remove},
                [&](Draft& draft) { return draft.remove(caller, path); });
}

Outcome<void> Store::set_permissions(const Caller& caller, Transaction* in, Path path, Permissions permissions) {
  if (permissions.empty()) return refuse(EINVAL);
  return change(caller, in, {.path = path, .kind = Change::Kind::permissions},
                {.what = Transaction::What::set_permissions, .permissions = permissions},
                [&](Draft& draft) { return draft.set_permissions(caller, path, permissions); });
}

std::unique_ptr<Transaction> Store::begin(const Caller& caller) {
  ++figures_.transactions;
  return std::make_unique<Transaction>(caller, root_, figures_.commits, transactions_);
}

Outcome<std::optional<Change>> Store::redo(Draft& draft, const Caller& caller, const Transaction::Step& step) {
  const Path path = step.path();
  switch (step.what) {
    case Transaction::What::write:
      return draft.write(caller, path, step.value);
    case Transaction::What::make:
      return draft.make(caller, path);
    case Transaction::What::remove:
      return draft.remove(caller, path);
    case Transaction::What::set_permissions:
      return draft.set_permissions(caller, path, step.permissions);
    default:
      break;
  }
  const auto now = look(*draft.root, caller, path, Rights::read);
  if (!Transaction::same_answer(step, now)) return refuse(EAGAIN);
  return std::nullopt;
}

Outcome<void> Store::replay(Transaction& transaction) {
  NodeRef root = root_;
  Accounts accounts;
  Draft draft{root, accounts, &accounts_, &quotas_, stamp_};
  for (auto& step : transaction.log_) {
    const bool changes = Transaction::changes(step.what);
    if (changes && guarded({.path = step.path(), .kind = kind_of(step.what), .value = step.value}) != 0)
      return refuse(EAGAIN);
    auto done = redo(draft, transaction.caller_, step);
    if (changes) {
      if (!done && done.error() == ENOSPC) return refuse(ENOSPC);
      if ((done ? 0 : done.error()) != step.error) return refuse(EAGAIN);
      step.changed = done && *done;
      step.gone = step.changed ? (*done)->gone : NodeRef();
    } else if (!done) {
      return refuse(EAGAIN);
    }
  }
  root_ = std::move(root);
  accounts_.add(std::move(accounts));
  return {};
}

Outcome<void> Store::commit(std::unique_ptr<Transaction> transaction) {
  Transaction& t = *transaction;
  if (t.changes_ == 0) return {};
  if (t.began_ == figures_.commits) {
    root_ = std::move(t.root_);
    accounts_.add(std::move(t.accounts_));
  } else if (auto done = replay(t); !done) {
    if (done.error() == EAGAIN) ++figures_.conflicts;
    return done;
  }
  std::vector<Change> changes;
  changes.reserve(t.changes_);
  for (auto& step : t.log_) {
    if (!step.changed) continue;
    const auto kind = kind_of(step.what);
    // What was removed twice held different nodes each time.
    const auto bit = static_cast<std::uint8_t>(1U << static_cast<unsigned>(kind));
    if (kind != Change::Kind::removed && (step.at->second.changed & bit) != 0) continue;
    step.at->second.changed |= bit;
    changes.push_back({.path = step.path(), .kind = kind, .gone = std::move(step.gone)});
  }
  tell(changes);
  return {};
}

void Store::tell(std::span<const Change> changes) {
  ++figures_.commits;
  const Commit commit{.root = *root_, .changes = changes};
  for (const auto& listener : listeners_) listener(commit);
  Limbo::of_this_thread().release(pieces_at_once);
}

void Store::Keeper::note(Outcome<std::optional<Change>> done) {
  if (!done || !*done) return;
  // The caller's text may be gone by the time when the commit is told of.
  paths_.push_back(std::make_unique<std::string>((*done)->path.text()));
  (*done)->path = *Path::parse(*paths_.back());
  changes_.push_back(std::move(**done));
}
void Store::Keeper::write(Path path, std::string_view value) { note(draft_.write({}, path, value)); }
void Store::Keeper::remove(Path path) { note(draft_.remove({}, path)); }
void Store::Keeper::set_permissions(Path path, Permissions permissions) {
  note(draft_.set_permissions({}, path, std::move(permissions)));
}

void Store::keep(const std::function<void(Keeper&)>& changes) {
  Draft draft = newest();
  draft.quotas = nullptr;
  Keeper keeper(draft);
  changes(keeper);
  if (!keeper.changes_.empty()) tell(keeper.changes_);
}

Usage Store::usage_of(DomainId domain) {
  while (accounts_.settle(1'000)) {
  }
  return accounts_.of(domain);
}

bool Store::tidy(std::size_t pieces) {
  const bool uncounted = accounts_.settle(pieces);
  const bool remembered = transactions_.tidy(pieces);
  return Limbo::of_this_thread().release(pieces) || uncounted || remembered;
}

}  // namespace vireo::tree
