// What changes of a guest too often to be published with the host's version: its last sample, and who is in its lane.
// It belongs to the guest for as long as the guest exists; the core writes, any thread reads, and nobody waits for
// another guest.
#pragma once

#include <atomic>
#include <chrono>

#include "base/counted_mutex.hpp"
#include "model/stats.hpp"

namespace vireo::model {

// Who is inside a guest's lane, since when, and how many wait. Each figure by itself: they may be of two moments.
class LaneGauge {
 public:
  struct Figures {
    const char* holder = nullptr;  // the verb inside; null: nobody
    SteadyClock::duration held_for{0};
    unsigned waiting = 0;
  };

  void entered(const char* verb, SteadyClock::time_point now) {
    since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    holder_.store(verb, std::memory_order_relaxed);
  }
  void left() { holder_.store(nullptr, std::memory_order_relaxed); }
  void set_waiting(std::size_t count) { waiting_.store(static_cast<unsigned>(count), std::memory_order_relaxed); }

  Figures figures(SteadyClock::time_point now) const {
    Figures out{.holder = holder_.load(std::memory_order_relaxed), .waiting = waiting_.load(std::memory_order_relaxed)};
    if (out.holder)
      out.held_for = now.time_since_epoch() - SteadyClock::duration(since_.load(std::memory_order_relaxed));
    return out;
  }

 private:
  std::atomic<const char*> holder_{nullptr};  // a word of the program
  std::atomic<SteadyClock::rep> since_{0};
  std::atomic<unsigned> waiting_{0};
};

// The last sample of a guest.
class SampleCell {
 public:
  // Null: nothing is known yet.
  GuestSamplePtr get() const {
    const CountedMutex::Hold hold(mutex_);
    return sample_;
  }
  void set(GuestSamplePtr next) {
    const CountedMutex::Hold hold(mutex_);
    sample_.swap(next);
  }

 private:
  mutable CountedMutex mutex_{"a guest's sample"};
  GuestSamplePtr sample_;
};

struct Pulse {
  LaneGauge lane;
  SampleCell sample;

  // The last sample of this life; null: none.
  GuestSamplePtr sample_of(int id) const {
    auto last = sample.get();
    return last && last->id == id ? last : nullptr;
  }
};

}  // namespace vireo::model
