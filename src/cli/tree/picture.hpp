// A part of the tree as it was at one moment, and as it is shown.
#pragma once

#include <boost/json/object.hpp>

#include <string>
#include <vector>

#include "cli/tree/connection.hpp"

namespace vireo::cli::tree {

struct Node {
  std::string name, value = {};
  std::vector<std::string> permissions = {};  // "n0", "r3" …; empty: not asked for
  std::vector<Node> children = {};
};

// The node at `path`, with all below it, read in one transaction.
Result<Node> read_part(Connection& connection, const std::string& path, bool with_permissions);

struct Frame {
  bool plain = true;        // no characters beyond ASCII in the lines between nodes
  std::size_t columns = 0;  // longer lines end in "…"; 0: there is no bound
};
// A line for each node, children in the order in which they are listed.
std::string drawn(const Node& node, const Frame& frame);
// "PATH = VALUE" for each node, for other programs; `path` is the node's own.
std::string flat(const Node& node, const std::string& path);
// {"name", "value" (or "value_hex" where the bytes are no UTF-8), "permissions", "children"}
boost::json::object as_json(const Node& node);

// A value under the key "value", or under "value_hex".
void put_value(boost::json::object& object, std::string_view value);

}  // namespace vireo::cli::tree
