// A leaf mutex that reports who waited for it, where, and who held it. Leaf: nothing is locked, awaited or blocked on
// while it is held. docs/CONCURRENCY.md lists them all. An uncontended lock costs a try_lock and a relaxed store, and
// no clock reading.
#pragma once

#include <mutex>

#include "base/deadline.hpp"
#include "base/wait_site.hpp"

namespace vireo {

class CountedMutex {
 public:
  // Holds the mutex for as long as it lives. A BasicLockable, so that a condition_variable_any can wait with it.
  class Hold {
   public:
    explicit Hold(CountedMutex& mutex, std::source_location where = std::source_location::current())
        : mutex_(mutex), where_(where) {
      lock();
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() { unlock(); }

    void lock() {
      if (!mutex_.mutex_.try_lock()) {
        in_the_way_ = mutex_.holder_.load(std::memory_order_relaxed);
        const auto began = SteadyClock::now();
        mutex_.mutex_.lock();
        waited_ = SteadyClock::now() - began;
      }
      mutex_.holder_.store(where_.function_name(), std::memory_order_relaxed);
    }
    void unlock() {
      mutex_.mutex_.unlock();
      // Only now, since the table of sites has a mutex of its own.
      if (waited_ > SteadyClock::duration::zero())
        WaitSite::at("mutex", mutex_.guards_, where_).add(std::exchange(waited_, {}), in_the_way_);
    }

   private:
    CountedMutex& mutex_;
    const std::source_location where_;
    SteadyClock::duration waited_{};
    const char* in_the_way_ = nullptr;
  };

  // `guards`: what it protects, in a word or two; lives as long as the process.
  explicit CountedMutex(const char* guards) : guards_(guards) {}

 private:
  const char* const guards_;
  std::mutex mutex_;
  std::atomic<const char*> holder_{nullptr};  // the function that took it last
};

}  // namespace vireo
