// Runs one history: a few clients that ask for random things of a host on the simulated hypervisor, at random moments
// of virtual time, while chance makes guests die, commits fail, clients go away and the daemon end. Everything follows
// from the seed.
#pragma once

#include "tests/histories/history.hpp"

namespace vireo::tests {

struct Verdict {
  std::vector<std::string> problems;  // a sentence each; empty: the history is as it should be
  History history;
};

struct RunOptions {
  bool print = false;  // each step as it happens, to standard output
  // For the proof that what is wrong is noticed: reads that answer from a version that is not the last; commits that
  // are acknowledged and not written.
  bool stale_reads = false;
  bool lying_disk = false;
};

Verdict run_history(std::uint64_t seed, const RunOptions& options = {});

}  // namespace vireo::tests
