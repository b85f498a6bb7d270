// Random histories of transactions. Each seed is a short story of four clients, some of them unprivileged domains, that
// read, list, write, make and remove a dozen nodes and change their permissions, at once or within transactions that
// overlap. After every step the real tree and the simple one (model.hpp) must have answered the same, so all that was
// committed happened in one order, and nothing was refused that would have fitted into it; the whole tree, what each
// domain has of it and what watchers were told must be the same, too.
//
//   VIREO_TREE_HISTORIES=N   how many (100,000; with sanitizers 10,000)
//   VIREO_FIRST_SEED=N       the first of them (1)
//   VIREO_SEED=N             that one alone, with every step printed: a failing seed replays exactly
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <optional>

#include "tests/histories/dice.hpp"
#include "tests/tree/model.hpp"
#include "tree/store.hpp"
#include "tree/watches.hpp"

namespace vireo::tests {
namespace {

using tree::Path;

std::string error_name(int error) {
  switch (error) {
    case EINVAL:
      return "EINVAL";
    case ENOENT:
      return "ENOENT";
    case EACCES:
      return "EACCES";
    case EPERM:
      return "EPERM";
    case ENOSPC:
      return "ENOSPC";
    case EAGAIN:
      return "EAGAIN";
    default:
      return fmt::format("error {}", error);
  }
}

template <class T, class Text>
std::string told(const tree::Outcome<T>& outcome, const Text& text) {
  return outcome ? text(*outcome) : error_name(outcome.error());
}
std::string told(const tree::Outcome<void>& outcome) { return outcome ? "OK" : error_name(outcome.error()); }

std::string act(tree::Store& store, tree::Transaction* in, const Operation& op) {
  using Kind = Operation::Kind;
  const Path path = *Path::parse(op.path);
  switch (op.kind) {
    case Kind::read:
      return told(store.read(op.caller, in, path), [](std::string_view value) { return "= " + std::string(value); });
    case Kind::list:
      return told(store.list(op.caller, in, path), [](const tree::Listing& listing) {
        std::string room, names(listing.names(0, listing.bytes(), room));
        std::ranges::replace(names, '\0', ' ');
        return "= " + names;
      });
    case Kind::permissions:
      return told(store.permissions(op.caller, in, path), [](const tree::Permissions* list) {
        std::string out = "= ";
        for (const auto& each : *list) out += each.text() + " ";
        return out;
      });
    case Kind::write:
      return told(store.write(op.caller, in, path, op.value));
    case Kind::make:
      return told(store.make(op.caller, in, path));
    case Kind::remove:
      return told(store.remove(op.caller, in, path));
    case Kind::set_permissions:
      return told(store.set_permissions(op.caller, in, path, op.given));
  }
  return "";
}

void collect(const tree::Node& node, const std::string& path, Model::Nodes& out) {
  out[path.empty() ? "/" : path] = {.value = std::string(node.value()), .permissions = node.permissions()};
  const tree::Listing listing(node);
  std::string room;
  for (auto names = listing.names(0, listing.bytes(), room); !names.empty();) {
    const auto name = names.substr(0, names.find('\0'));
    names.remove_prefix(name.size() + 1);
    collect(*node.child(name), path + "/" + std::string(name), out);
  }
}

struct Watched {
  std::string path;
  std::optional<std::uint32_t> depth;
};

// Whom the simple tree would tell of what: each watch once for each path.
std::set<std::string> expected_events(const std::vector<Happened>& happened, const std::vector<Watched>& watches) {
  std::set<std::string> out;
  for (const auto& change : happened)
    for (std::size_t i = 0; i < watches.size(); ++i) {
      const auto& [path, depth] = watches[i];
      const bool above = path == "/" || change.path == path || change.path.starts_with(path + "/");
      const auto parts = [](const std::string& text) { return text == "/" ? 0 : std::ranges::count(text, '/'); };
      if (above && (!depth || parts(change.path) - parts(path) <= static_cast<int>(*depth)))
        out.insert(fmt::format("{} {}", i, change.path));
      if (change.gone.contains(path)) out.insert(fmt::format("{} {}", i, path));
    }
  return out;
}

class History {
 public:
  History(std::uint64_t seed, bool print) : dice_(seed), print_(print) {
    for (const tree::DomainId domain : {5U, 6U}) *store_.quotas().find(domain, "nodes") = Model::most_nodes;
    store_.keep([](auto& keeper) {
      keeper.set_permissions(tree::Path::root(), {{.domain = 0, .rights = tree::Rights::read}});
    });
    store_.listen([this](const tree::Commit& commit) {
      const auto tell = [this](const tree::Watch& watch, std::string_view path, const tree::Node*) {
        if (!events_.insert(fmt::format("{} {}", watch.token, path)).second) problem("an event was told twice");
      };
      const auto at_once = 2 + events_.size() % 4;
      for (auto at = watches_.begin(); !watches_.match(commit.changes, at, at_once, tell);) {
      }
      watches_.match_guarded(commit, tell);
    });
    for (int i = dice_.below(6); i > 0; --i) {
      Watched watched{.path = some_path(), .depth = {}};
      if (dice_.one_in(3)) watched.depth = dice_.below(3);
      watches_.add({.owner = this,
                    .path = watched.path,
                    .token = std::to_string(watched_.size()),
                    .depth = watched.depth,
                    .guarded = watched_.size() % 4 == 3});
      watched_.push_back(watched);
    }
  }

  // The first thing that went wrong, or nothing.
  std::string run() {
    for (int step = 20 + dice_.below(40); step > 0 && problem_.empty(); --step) {
      Client& client = clients_[static_cast<std::size_t>(dice_.below(4))];
      if (!client.real && dice_.one_in(3))
        begin(client);
      else if (client.real && dice_.one_in(6))
        commit(client);
      else if (client.real && dice_.one_in(30))
        abort(client);
      else
        operate(client);
      store_.tidy(static_cast<std::size_t>(dice_.below(20)));
    }
    for (Client& client : clients_) abort(client);
    while (store_.tidy(100)) {
    }
    if (store_.open_transactions() != 0) problem("transactions are still open");
    for (const tree::DomainId domain : {0U, 5U, 6U})
      if (store_.accounts().of(domain).nodes != Model::owned(model_.nodes(), domain))
        problem(fmt::format("domain {} is said to have {} nodes", domain, store_.accounts().of(domain).nodes));
    return problem_;
  }
  const std::map<std::string, int>& endings() const { return endings_; }

 private:
  struct Client {
    tree::Caller caller;
    std::unique_ptr<tree::Transaction> real;
    Model::Transaction simple;
  };

  std::string some_path() {
    std::string out;
    for (int parts = dice_.below(4); parts > 0; --parts) out += std::string("/") + "abc"[dice_.below(3)];
    return out.empty() ? "/" : out;
  }
  Operation some_operation(const tree::Caller& caller) {
    using Kind = Operation::Kind;
    static constexpr Kind often[] = {Kind::read,  Kind::read, Kind::list,   Kind::permissions,    Kind::write,
                                     Kind::write, Kind::make, Kind::remove, Kind::set_permissions};
    Operation op{.kind = often[dice_.below(9)], .caller = caller, .path = some_path(), .value = "", .given = {}};
    if (op.kind == Kind::write) op.value = std::string(static_cast<std::size_t>(dice_.below(2)), 'v');
    if (op.kind == Kind::set_permissions)
      for (int entries = 1 + dice_.below(2); entries > 0; --entries)
        op.given.push_back({.domain = std::array{0U, 5U, 6U}[static_cast<std::size_t>(dice_.below(3))],
                            .rights = static_cast<tree::Rights>(dice_.below(4))});
    return op;
  }

  void begin(Client& client) {
    client.real = store_.begin(client.caller);
    client.simple = {
        .caller = client.caller, .base = model_.nodes(), .own = model_.nodes(), .log = {}, .changed = false};
    say(client, "begins", "");
  }
  void abort(Client& client) {
    if (client.real) say(client, "aborts", "");
    client.real.reset();
  }
  void operate(Client& client) {
    const auto op = some_operation(client.caller);
    const bool within = client.real != nullptr;
    events_.clear();
    const auto real = act(store_, client.real.get(), op);
    const auto simple = model_.act(within ? &client.simple : nullptr, op);
    say(client, op.text() + (within ? " within" : ""), real);
    ++endings_[real.substr(0, real.find(' '))];
    if (real != simple) problem(fmt::format("{} should have ended with '{}'", op.text(), simple));
    within ? compare_events({}) : compare();
  }
  void commit(Client& client) {
    events_.clear();
    const auto real = told(store_.commit(std::move(client.real)));
    const auto simple = model_.commit(client.simple);
    say(client, "commits", real);
    ++endings_["commit " + real];
    if (real != simple) problem(fmt::format("the commit should have ended with '{}'", simple));
    compare();
  }
  void compare() {
    compare_events(model_.happened());
    Model::Nodes nodes;
    collect(store_.root(), "", nodes);
    if (nodes != model_.nodes()) problem("the tree is another one");
  }
  void compare_events(const std::vector<Happened>& happened) {
    if (events_ != expected_events(happened, watched_)) problem("watchers were told something else");
  }
  void problem(const std::string& what) {
    if (problem_.empty()) problem_ = what;
  }
  void say(const Client& client, const std::string& what, const std::string& answer) {
    if (print_) fmt::print("client {} {}: {}\n", &client - clients_.data(), what, answer);
  }

  Dice dice_;
  const bool print_;
  tree::Store store_;
  tree::Watches watches_;
  std::vector<Watched> watched_;
  Model model_;
  std::array<Client, 4> clients_{Client{.caller = {}, .real = {}, .simple = {}},
                                 Client{.caller = {}, .real = {}, .simple = {}},
                                 Client{.caller = {.domain = 5}, .real = {}, .simple = {}},
                                 Client{.caller = {.domain = 6}, .real = {}, .simple = {}}};
  std::set<std::string> events_;
  std::map<std::string, int> endings_;
  std::string problem_;
};

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::uint64_t usual = 10'000;
#else
constexpr std::uint64_t usual = 100'000;
#endif

TEST(TreeHistories, AreSerializableAndConflictOnlyWhereTheyMust) {
  if (const auto only = number_from("VIREO_SEED", 0)) {
    EXPECT_EQ(History(only, true).run(), "");
    return;
  }
  const auto first = number_from("VIREO_FIRST_SEED", 1), count = number_from("VIREO_TREE_HISTORIES", usual);
  int failures = 0;
  std::map<std::string, std::uint64_t> endings;
  for (auto seed = first; seed < first + count && failures < 5; ++seed) {
    History history(seed, false);
    const auto problem = history.run();
    for (const auto& [ending, times] : history.endings()) endings[ending] += static_cast<std::uint64_t>(times);
    if (problem.empty()) continue;
    ++failures;
    ADD_FAILURE() << fmt::format("seed {}: {} (VIREO_SEED={} prints every step)", seed, problem, seed);
  }
  // They are not tame: each way to end is met.
  for (const char* ending :
       {"=", "OK", "ENOENT", "EACCES", "EPERM", "EINVAL", "ENOSPC", "commit OK", "commit EAGAIN", "commit ENOSPC"})
    EXPECT_GE(endings[ending], count / 2'000 + 1) << ending;
  fmt::print("{} histories, {} commits of which {} conflicted\n", count,
             endings["commit OK"] + endings["commit EAGAIN"], endings["commit EAGAIN"]);
}

}  // namespace
}  // namespace vireo::tests
