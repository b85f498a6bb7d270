// What clients may take: bounds of one connection and of all of them together, and the account of what all of them
// hold. A client that reaches a bound costs nobody else anything: it waits, is turned away or dropped, and a counter
// (counters.hpp) says how often.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>

namespace vireo::doors::libvirt {

// The defaults suit local management clients. A connection keeps the limits that held when it began.
struct Limits {
  // Of all connections.
  std::size_t sessions = 5000;         // of each socket, so that a crowd at the open one shuts nobody out of the other
  std::size_t held_bytes = 512 << 20;  // unread and unsent; beyond, a client that wants more than its equal share goes

  // Of one connection.
  std::size_t calls_in_flight = 64;          // beyond: reading stops until one is answered
  std::size_t write_pause_bytes = 1 << 20;   // unsent bytes beyond which reading stops and streams wait
  std::size_t write_queue_bytes = 64 << 20;  // unsent bytes beyond which the client is dropped
  std::size_t events_queued = 100'000;       // undelivered events beyond which the client is dropped
  std::size_t stream_queue_bytes = 1 << 20;  // undelivered stream bytes beyond which reading stops
  std::size_t streams = 64;                  // open streams; more are refused
  std::size_t call_bytes = 8 << 20;          // arguments of calls in flight beyond which reading stops
  // For a client to open its connection, to send the rest of a message, and to take a byte of what waits for it.
  std::chrono::milliseconds progress_timeout{60'000};
  std::chrono::milliseconds close_timeout{5000};  // for a leaving client to take its last replies
  std::chrono::milliseconds keepalive_interval{5000};
  int keepalive_count = 5;  // unanswered pings before the client is dropped
};

// Bytes that the daemon holds for all its clients: half-read frames, unsent replies, events. Any thread.
class HeldBytes {
 public:
  void add(std::size_t bytes) { total_.fetch_add(bytes, std::memory_order_relaxed); }
  void remove(std::size_t bytes) { total_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t total() const { return total_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> total_{0};
};

}  // namespace vireo::doors::libvirt
