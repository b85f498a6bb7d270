// A transaction: the version with which it began, its own version since it changed something, and a log of what it was
// told and what it did. To commit is to go through the log once more on the newest version: if all the answers are the
// same, then it is as if the whole transaction had happened now, and what it did is the newest version from here on. So
// it conflicts exactly where it would have been told something else; absence, permissions, children's names and
// refusals are answers like any other. One that only read needs no second look: it happened when it began.
//
// Made and ended by the Store, which has to outlive it. Destroying it aborts it; what it remembered is freed little by
// little.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tree/accounts.hpp"
#include "tree/draft.hpp"
#include "tree/node.hpp"
#include "tree/path.hpp"
#include "tree/permissions.hpp"

namespace vireo::tree {

class Transaction {
 public:
  class All;

  Transaction(const Caller& caller, NodeRef base, std::uint64_t began, All& all);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  // How many different nodes it has read or changed, and what its log takes, in bytes.
  std::size_t nodes() const { return touched_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  friend class Store;

  enum class What : std::uint8_t {
    value = 1,
    children = 2,
    permissions = 4,
    write = 8,
    make = 16,
    remove = 32,
    set_permissions = 64
  };
  struct Touched {
    // What::value, children, permissions: the answer is in the log, given after so many of the transaction's own
    // changes. After further ones it may be another, also where others' have a part in it (inherited permissions).
    std::uint8_t told = 0;
    std::uint32_t changes = 0;
    std::uint8_t changed = 0;  // while a commit is told of: the kinds of changes of this path that it has
  };
  using Index = std::unordered_map<std::string, Touched>;

  struct Step {
    What what;
    Index::value_type* at;    // the path, and what is known of it
    int error = 0;            // how it ended
    Ref<const Node> seen;     // told: the node
    std::string value;        // written
    Permissions permissions;  // set
    bool changed = false;
    NodeRef gone;  // removed

    Path path() const { return *Path::parse(at->first); }
  };

  // Null: it may not touch any more nodes.
  Index::value_type* touch(Path path, const Limits& limits);
  // Whether the answer to such a question is in the log; and that it is from now on.
  bool is_in_log(const Touched& touched, What what) const;
  void note_in_log(Touched& touched, What what) const;
  bool has_room(const Step& step, const Limits& limits) const;
  // False: there is no room.
  bool log(Step step, const Limits& limits);
  static bool changes(What what) { return what >= What::write; }
  // Whether a node, or that there is none, answers a question as it was answered before.
  static bool same_answer(const Step& step, const Outcome<const Node*>& now);

  const Caller caller_;
  NodeRef root_;
  Accounts accounts_;          // what its own version has more or less than the one with which it began
  const std::uint64_t began_;  // how many commits there had been
  All& all_;
  Index touched_;
  std::vector<Step> log_;
  std::size_t bytes_ = 0;
  std::uint32_t changes_ = 0;  // how many of its steps changed something
};

// All transactions of a store.
class Transaction::All {
 public:
  std::uint64_t open() const { return open_; }
  // Frees at most so many steps and paths of those that have ended; true: there is more.
  bool tidy(std::size_t most);

 private:
  friend class Transaction;
  struct Ended {
    Index touched;
    std::vector<Step> log;
  };
  std::uint64_t open_ = 0;
  std::vector<Ended> ended_;
};

}  // namespace vireo::tree
