// How much a domain may have of everything. The names are those of Xen's GET_QUOTA and SET_QUOTA; 0 means without
// bound, as there. What is on behalf of the socket's clients, domain 0, has bounds of its own, so that no client can
// make the daemon grow without end.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "tree/permissions.hpp"

namespace vireo::tree {

struct Limits {
  std::uint32_t nodes = 1'000;
  std::uint32_t node_size = 2'048;  // bytes of value, name and permissions of one node
  std::uint32_t permissions = 5;    // entries of a node's list
  std::uint32_t watches = 128;
  std::uint32_t transactions = 10;           // open at one time
  std::uint32_t transaction_nodes = 1'024;   // nodes that one transaction reads or changes
  std::uint32_t outstanding = 1'024;         // replies and events that wait to be read
  std::uint32_t memory = 2 * 1'024 * 1'024;  // bytes of nodes, transactions, watches and what waits to be read
};

// Of domain 0: all its clients together for nodes and their memory, each connection for the rest.
inline constexpr Limits privileged_limits{.nodes = 2'000'000,
                                          .node_size = 8'192,
                                          .permissions = 1'024,
                                          .watches = 100'000,
                                          .transactions = 1'000,
                                          .transaction_nodes = 100'000,
                                          .outstanding = 100'000,
                                          .memory = 512 * 1'024 * 1'024};

// What holds for whom: the defaults, and what was set for single domains.
class Quotas {
 public:
  const Limits& of(DomainId domain) const;
  // A limit of a domain, to read or to set; setting makes it the domain's own. Null: no limit has that name.
  const std::uint32_t* find(DomainId domain, std::string_view name) const;
  std::uint32_t* find(DomainId domain, std::string_view name);
  // The default for domains other than 0.
  std::uint32_t* find_default(std::string_view name);
  // "nodes watches transactions …": all names, as GET_QUOTA lists them.
  static std::string_view names();
  // A domain has gone: its limits are the defaults again.
  void forget(DomainId domain) { own_.erase(domain); }

 private:
  Limits defaults_;
  std::map<DomainId, Limits> own_ = {{0, privileged_limits}};
};

}  // namespace vireo::tree
