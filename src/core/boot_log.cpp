// Grouping starts into storms, and forgetting what is too old.
#include "core/boot_log.hpp"

#include <algorithm>

namespace vireo::core {

using std::chrono::duration_cast;
using std::chrono::microseconds;

Boot BootLog::begin(model::BootTimes first, SteadyClock::time_point began) {
  auto next = *history_.snapshot();
  const bool apart = next.under_way == 0 && (!last_end_ || began - *last_end_ > storm_gap);
  if (apart || next.storm.size() >= largest_storm) {
    next.storm = {};
    first_of_storm_ = last_number_ + 1;
    storm_began_ = began;
  }
  // One that waited long for its turn may have been asked for before the one that came first.
  first.offset_us = std::max<std::int64_t>(0, duration_cast<microseconds>(began - storm_began_).count());
  Boot boot{
      .number = ++last_number_, .began = began, .times = std::make_shared<const model::BootTimes>(std::move(first))};
  next.storm = next.storm.set(boot.number, boot.times);
  ++next.under_way;
  publish(std::move(next));
  return boot;
}

void BootLog::note(Boot& boot, model::BootTimes times) {
  boot.times = std::make_shared<const model::BootTimes>(std::move(times));
  if (boot.number == 0 || boot.number < first_of_storm_) return;  // not of this storm
  auto next = *history_.snapshot();
  next.storm = next.storm.set(boot.number, boot.times);
  publish(std::move(next));
}

void BootLog::succeeded(model::LaunchTracePtr trace) {
  last_end_ = SteadyClock::now();
  auto next = *history_.snapshot();
  --next.under_way;
  for (const auto& step : trace->steps) {
    auto phase =
        std::ranges::find_if(next.phases, [&](const auto& known) { return known.name == std::string_view(step.name); });
    if (phase == next.phases.end()) phase = next.phases.insert(phase, {.name = step.name});
    ++phase->count;
    phase->total_us += step.end_us - step.begin_us;
  }
  next.total_us += trace->total_us();
  next.launches = next.launches.set(++next.succeeded, std::move(trace));
  if (next.succeeded > model::LaunchHistory::kept_launches)
    next.launches = next.launches.erase(next.succeeded - model::LaunchHistory::kept_launches);
  publish(std::move(next));
}

void BootLog::failed(Boot& boot, const std::string& phase) {
  auto times = *boot.times;
  times.failed = true;
  note(boot, std::move(times));
  last_end_ = SteadyClock::now();
  auto next = *history_.snapshot();
  --next.under_way;
  ++next.failed;
  const auto known = std::ranges::find(next.failed_in, phase, &std::pair<std::string, std::uint64_t>::first);
  if (known == next.failed_in.end())
    next.failed_in.emplace_back(phase, 1);
  else
    ++known->second;
  publish(std::move(next));
}

void BootLog::publish(model::LaunchHistory next) {
  history_.publish(std::make_shared<const model::LaunchHistory>(std::move(next)));
}

}  // namespace vireo::core
