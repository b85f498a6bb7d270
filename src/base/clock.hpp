// The clock that every deadline and timer of Vireo goes by: the steady clock, unless a test has put the process on
// virtual time, where an hour passes at once and the same seed gives the same moments. Virtual time is for tests that
// run everything on one thread; without it the clock costs one relaxed load more than the steady clock.
#pragma once

#include <functional>
#include <map>
#include <optional>

namespace vireo {

// While one exists the process is on virtual time: it stands still but for step() and pass(). Timers (base/timer.hpp)
// that are made meanwhile wait here. One thread only; everything that waited must be gone or dropped at its end.
class VirtualTime {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  using Done = std::move_only_function<void(boost::system::error_code)>;
  // In the order of expiry, then of arrival.
  using Place = std::pair<Moment, std::uint64_t>;

  VirtualTime() { current_.store(this, std::memory_order_relaxed); }
  VirtualTime(const VirtualTime&) = delete;
  VirtualTime& operator=(const VirtualTime&) = delete;
  ~VirtualTime() {
    drop_all();
    current_.store(nullptr, std::memory_order_relaxed);
  }

  // The process's virtual time, or null.
  static VirtualTime* current() { return current_.load(std::memory_order_relaxed); }

  Moment now() const { return now_; }
  std::size_t waiting() const { return waiting_.size(); }
  // When the next wait ends.
  std::optional<Moment> next() const {
    if (waiting_.empty()) return std::nullopt;
    return waiting_.begin()->first.first;
  }

  // Goes on to the end of the next wait and ends that one alone.
  void step() {
    now_ = std::max(now_, waiting_.begin()->first.first);
    end(waiting_.begin()->first, {});
  }
  // Goes on to a moment before which no wait ends.
  void pass_to(Moment moment) { now_ = std::max(now_, moment); }

  // Destroys all waits unanswered, as the end of a process does. The coroutines that wait go with them, each through
  // its executor.
  void drop_all() {
    dropping_ = true;
    while (!waiting_.empty()) {
      const auto gone = waiting_.extract(waiting_.begin());  // its destruction may end others
    }
    dropping_ = false;
  }

  // For timers.
  Place add(Moment moment, Done done) {
    const Place place{moment, arrivals_++};
    waiting_.emplace(place, std::move(done));
    return place;
  }
  // Does nothing where the wait has ended.
  void end(Place place, boost::system::error_code how) {
    const auto found = waiting_.find(place);
    if (found == waiting_.end() || dropping_) return;
    auto done = std::move(found->second);
    waiting_.erase(found);
    done(how);
  }

 private:
  static inline std::atomic<VirtualTime*> current_{nullptr};
  Moment now_ = Moment{} + std::chrono::hours(1);
  std::uint64_t arrivals_ = 0;
  std::map<Place, Done> waiting_;
  bool dropping_ = false;
};

struct SteadyClock {
  using duration = std::chrono::steady_clock::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr bool is_steady = true;

  static time_point now() {
    if (const auto* virtual_time = VirtualTime::current()) [[unlikely]]
      return virtual_time->now();
    return std::chrono::steady_clock::now();
  }
};

}  // namespace vireo
