// What happens at the door, counted. The door's own thread counts, any thread may read.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/count.hpp"

namespace vireo::doors::xenstore {

// Written by one thread, so adding needs no locked instruction.
class Counter {
 public:
  void add(std::uint64_t more = 1) { set(value() + more); }
  void remove(std::uint64_t less) { set(value() - less); }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Counters {
  // What is now.
  Counter clients;
  Counter watches;
  Counter transactions;  // open ones of clients
  Counter held_bytes;    // that wait to be read by clients, and their watches

  // What happened since the daemon started.
  Counter clients_accepted;
  Counter clients_refused;              // as many as may be were connected, or descriptors were running out
  Counter accept_failures;              // the system gave no connection
  Counter clients_dropped_oversize;     // a message longer than one may be
  Counter clients_dropped_not_reading;  // too many events or bytes waited for it
  Counter requests;
  Counter errors;         // requests that were answered with one, but for EAGAIN and ENOENT
  Counter conflicts;      // transactions that were answered with EAGAIN
  Counter events;         // sent to clients
  Counter events_merged;  // left out, since the very same was still waiting to be read
  Counter pauses;         // reading a client paused: it did not read

  // All of them, in this order.
  std::vector<Count> read() const;
};

}  // namespace vireo::doors::xenstore
