// A server that is measured: where it listens, and what the kernel says of its process.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "client.hpp"

namespace vireo::bench::xenstore {

struct Contender {
  std::string name;
  std::string socket;
  pid_t pid = 0;
  bool is_floor = false;            // answers without doing anything
  std::optional<Client> client;     // connected while there are measurements
  std::vector<Client> others = {};  // that a row needs besides

  // "NAME=SOCKET:PID"; a floor's name is "floor".
  static std::optional<Contender> parse(std::string_view text);

  // What its threads have used of processors since they began.
  std::chrono::nanoseconds spent() const;
  std::uint64_t resident_kib() const;
};

// Keeps a process, with all the threads that it has and will have, on one processor. 0: the caller.
Result<void> pin(pid_t pid, int processor);

}  // namespace vireo::bench::xenstore
