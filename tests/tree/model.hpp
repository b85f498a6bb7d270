// The tree once more, as simply as can be: a map of paths, copied whole for each transaction. What a transaction was
// told and did is written down as words; to commit is to do it all again on the newest map and to compare every word.
// What the real tree answers has to be the same, word for word.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tree/permissions.hpp"

namespace vireo::tests {

struct Operation {
  enum class Kind { read, list, permissions, write, make, remove, set_permissions };
  Kind kind = Kind::read;
  tree::Caller caller;
  std::string path;
  std::string value;
  tree::Permissions given;

  bool changes() const { return kind >= Kind::write; }
  std::string text() const;
};

// What a commit did to one path.
struct Happened {
  char kind;  // w, p, r as tree::Change::Kind
  std::string path;
  std::set<std::string> gone;  // of a removal: all paths that were there
};

class Model {
 public:
  struct Node {
    std::string value;
    tree::Permissions permissions;
    bool operator==(const Node&) const = default;
  };
  using Nodes = std::map<std::string, Node>;

  // How many nodes a domain other than 0 may own.
  static constexpr int most_nodes = 3;

  struct Transaction {
    tree::Caller caller;
    Nodes base, own;
    std::vector<std::pair<Operation, std::string>> log;
    bool changed = false;
  };

  Model();
  // The answers, as the real tree's are written down: "= value", "OK", or the name of an error.
  std::string act(Transaction* in, const Operation& operation);
  std::string commit(const Transaction& transaction);

  const Nodes& nodes() const { return nodes_; }
  static int owned(const Nodes& nodes, tree::DomainId domain);
  // What the last act or commit did to the newest version.
  const std::vector<Happened>& happened() const { return happened_; }

 private:
  // `elsewhere`: how many nodes more a domain has than this map says.
  static std::string apply(Nodes& nodes, const Operation& operation, int elsewhere, std::vector<Happened>& happened);
  Nodes nodes_;
  std::vector<Happened> happened_;
};

}  // namespace vireo::tests
