// For tests of coroutines that wait: a loop on virtual time, where who comes before whom is the same however slow the
// machine is.
#pragma once

#include "base/clock.hpp"

namespace vireo::tests {

struct VirtualIo {
  // Until nothing is left to do and nobody waits for a moment to come.
  void run() {
    for (;; time.step()) {
      io.restart();
      while (io.poll() > 0) io.restart();
      if (time.waiting() == 0) break;
    }
  }

  VirtualTime time;
  asio::io_context io;
};

}  // namespace vireo::tests
