// The sampler: one coroutine that keeps every running guest's sample young, so that nobody has to ask a monitor to know
// how a guest was a moment ago. Guests are spread evenly over the period; several are asked at a time; one that hangs
// or refuses is asked less and less often, and comes back by itself. It works while somebody wants to know: always, if
// history is kept; else until a minute after the last who asked for what it knows. Core thread, but for want().
#pragma once

#include <atomic>
#include <functional>

#include "base/wait_stats.hpp"
#include "core/domain.hpp"

namespace vireo::core {

class Host;

// A sample is stale when the guest has missed its turn twice.
inline constexpr int kStaleAfter = 2;

class Sampler {
 public:
  // Told of each guest once in each period, when its figures have come or are not to come in time; core thread.
  using Taken = std::function<void(const DomainPtr&)>;

  explicit Sampler(Host& host) : host_(host) {}

  // Begins; it never ends by itself.
  void start(Taken taken);
  // Somebody wants samples. Any thread.
  void want() { wanted_at_.store(SteadyClock::now().time_since_epoch().count(), std::memory_order_relaxed); }

  // How often each guest has its turn. Any thread.
  std::chrono::milliseconds period() const {
    return std::chrono::milliseconds(period_ms_.load(std::memory_order_relaxed));
  }
  void set_period(std::chrono::milliseconds period) { period_ms_.store(period.count(), std::memory_order_relaxed); }

  // How late each turn came: the lag that everybody's samples have. Any thread.
  const WaitStats& lag() const { return lag_; }

 private:
  static asio::awaitable<void> run(Host& host, Sampler& self);
  static asio::awaitable<void> sample(Host& host, Sampler& self, std::vector<model::DomainViewPtr> guests);
  bool is_wanted() const;

  Host& host_;
  Taken taken_;
  std::atomic<SteadyClock::rep> wanted_at_{0};
  std::atomic<std::chrono::milliseconds::rep> period_ms_{5'000};
  WaitStats lag_;
};

}  // namespace vireo::core
