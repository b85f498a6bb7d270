// What one recorded wait and one measured turn of the core's loop cost, in nanoseconds: the two things that the report
// of waits adds to the daemon's work. Prints "WAIT TURN".
#include <chrono>
#include <cstdio>

#include "base/loop_meter.hpp"
#include "base/wait_site.hpp"

namespace {

using vireo::LoopMeter;
using vireo::WaitSite;
using Clock = std::chrono::steady_clock;

template <class Work>
double ns_each(Work work) {
  constexpr int rounds = 2'000'000;
  const auto began = Clock::now();
  for (int i = 0; i < rounds; ++i) work();
  return std::chrono::duration<double, std::nano>(Clock::now() - began).count() / rounds;
}

}  // namespace

int main() {
  // As many sites as a busy daemon has, of which one is found again and again.
  for (int i = 0; i < 60; ++i)
    WaitSite::at("bench", std::to_string(i), std::source_location::current()).add(std::chrono::nanoseconds(1));
  const auto wait = ns_each([began = Clock::now()]() mutable {
    const auto now = Clock::now();
    WaitSite::at("bench", "7", std::source_location::current()).add(now - std::exchange(began, now), "holder");
  });
  LoopMeter meter;
  // The dearer kind: one that the loop had to wait for, which asks for the thread's processor time.
  const auto turn = ns_each([&meter, before = std::chrono::nanoseconds(0)]() mutable {
    const auto now = LoopMeter::processor_time_of(CLOCK_THREAD_CPUTIME_ID);
    meter.add_turn(now - std::exchange(before, now));
  });
  std::printf("%.1f %.1f\n", wait, turn);
  return 0;
}
