// A leaf mutex that counts how long its callers waited. Leaf: nothing is locked, awaited or blocked on while it is
// held. An uncontended lock costs one try_lock more than std::mutex and no clock reading.
#pragma once

#include <mutex>

#include "base/deadline.hpp"
#include "base/wait_stats.hpp"

namespace vireo {

class CountedMutex {
 public:
  void lock() {
    if (mutex_.try_lock()) return;
    const auto began = SteadyClock::now();
    mutex_.lock();
    waits_.add(SteadyClock::now() - began);
  }
  bool try_lock() { return mutex_.try_lock(); }
  void unlock() { mutex_.unlock(); }

  // Contended locks only.
  const WaitStats& waits() const { return waits_; }

 private:
  std::mutex mutex_;
  WaitStats waits_;
};

}  // namespace vireo
