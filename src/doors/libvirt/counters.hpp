// What happens at the door, counted: how many came, who was turned away or dropped and for which reason, how often a
// limit was reached. Counted on whatever thread it happens, with relaxed atomics; read from any. Every limit of
// limits.hpp has its counter here, so that a limit which is too low is read off, not guessed.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/count.hpp"

namespace vireo::doors::libvirt {

class Counter {
 public:
  void add() { value_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Counters {
  Counter clients_accepted;
  Counter clients_refused_limit;        // as many as may be were connected
  Counter clients_refused_descriptors;  // the process was running out of descriptors
  Counter accept_failures;              // the system gave no connection

  Counter clients_dropped_not_reading;  // too many unsent bytes
  Counter clients_dropped_events;       // too many undelivered events
  Counter clients_dropped_memory;       // all clients together held too much, and this one held a lot
  Counter clients_dropped_keepalive;    // too many pings unanswered
  Counter clients_dropped_bad_frame;    // a length below a header's, or descriptors that were never offered
  Counter clients_dropped_oversize;     // a frame above the protocol's limit
  Counter clients_dropped_silent;       // never opened a connection

  Counter frames;  // read from clients
  Counter calls;   // among them
  Counter events;  // sent to clients

  Counter calls_refused_unknown;          // no such program, version, status or procedure
  Counter calls_refused_unauthenticated;  // before authentication
  Counter calls_refused_unopened;         // before the connection was opened, or a second opening
  Counter calls_refused_read_only;
  Counter calls_refused_unsupported;  // no handler
  Counter calls_refused_payload;      // arguments that are no XDR of their structure
  Counter calls_refused_closing;      // the daemon is shutting down
  Counter calls_cancelled;            // the client went away first
  Counter replies_oversize;           // longer than a message may be
  Counter streams_refused;            // as many as may be were open

  Counter pauses_calls;    // reading a client paused: calls in flight
  Counter pauses_unsent;   // unsent bytes
  Counter pauses_streams;  // stream data that its guest does not take

  // All of them, in this order.
  std::vector<Count> read() const;
};

}  // namespace vireo::doors::libvirt
