// What all clients of one door share: the tree, the watches, the domains, the counters and the limits of the door. Here
// a domain comes and goes. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "base/log_limit.hpp"
#include "doors/xenstore/announcements.hpp"
#include "doors/xenstore/buffer.hpp"
#include "doors/xenstore/counters.hpp"
#include "doors/xenstore/domains.hpp"
#include "tree/store.hpp"
#include "tree/watches.hpp"

namespace vireo::doors::xenstore {

class Client;

// What the door is given by whoever opens it.
struct Services {
  // Whether there is such a domain, other than 0. Without it there is none.
  std::function<bool(tree::DomainId)> exists;
  // If set, the replies to requests that changed the tree are held back until it has called `then`, on whatever thread.
  std::function<void(std::function<void()> then)> settle;
};

// Bounds of the door; those of domains are the tree's (tree/limits.hpp).
struct DoorLimits {
  std::size_t clients = 5000;           // beyond, one that comes is turned away
  std::size_t requests_per_turn = 128;  // of one client, then others get their turn
  std::size_t events_at_once = 64;      // that a turn causes, then others get theirs; of a commit, the rest then waits
  std::size_t flushes_at_once = 16;     // of those who were told something, then others get their turn
  std::size_t pause_bytes = 256 << 10;  // that wait to be read by one client; beyond, its requests wait
  std::size_t held_bytes = 128 << 20;   // of all clients; beyond, one that holds more than its equal share goes
};

class Common {
 public:
  Common(tree::Store& store, Services services, DoorLimits limits);

  tree::Store& store;
  tree::Watches watches;
  Domains domains;
  Counters counters;
  const Services services;
  const DoorLimits limits;
  Announcements announcements{watches, domains, limits.events_at_once};
  std::set<Client*> clients;
  SpareBuffers spare_output;
  std::string scratch;  // a path that is put together for one request
  LogLimit drops, prints, soft_warnings;
  bool log_requests = false;                      // CONTROL log|on
  std::uint32_t soft_memory = 2 * 1'024 * 1'024;  // CONTROL quota-soft: bytes; what is said beyond is in the log

  bool exists(tree::DomainId domain) const { return domain == 0 || (services.exists && services.exists(domain)); }
  // Tells those who watch for it. Introducing again ends the watches and transactions that the domain had.
  void introduce(tree::DomainId domain);
  // Ends the domain's connections, removes the nodes that it owns, forgets what was set for it, and tells those who
  // watch for it, whether or not it was introduced.
  void release(tree::DomainId domain);

 private:
  void remove_nodes_of(tree::DomainId domain);
};

}  // namespace vireo::doors::xenstore
