// How long starts take: the last storm guest by guest and as a whole, and the phases of the last launches. Computed
// from one immutable version when somebody asks, so that nobody else pays for it.
#include <algorithm>
#include <boost/json/array.hpp>
#include <ctime>
#include <map>

#include "doors/http/handlers/handlers.hpp"
#include "model/distribution.hpp"

namespace vireo::doors::http {
namespace {

json::value or_null(const std::optional<std::int64_t>& number) { return number ? json::value(*number) : json::value(); }

json::object figures_of(const model::Distribution& spread) {
  return {{"count", spread.count}, {"mean_us", spread.mean},   {"median_us", spread.median},
          {"p99_us", spread.p99},  {"worst_us", spread.worst}, {"total_us", spread.total}};
}

using Time = std::optional<std::int64_t> model::BootTimes::*;

// Of the starts that got so far and did not fail.
json::value spread_of(const std::vector<model::BootTimesPtr>& starts, Time time) {
  std::vector<std::int64_t> values;
  std::int64_t last_us = 0;
  for (const auto& start : starts) {
    const auto& value = (*start).*time;
    if (start->failed || !value) continue;
    values.push_back(*value);
    last_us = std::max(last_us, start->offset_us + *value);
  }
  if (values.empty()) return nullptr;
  auto spread = model::distribution_of(std::move(values));
  spread.total = last_us;
  return figures_of(spread);
}

template <class Value>
std::vector<Value> in_order(const PersistentMap<std::uint64_t, Value>& numbered) {
  std::vector<std::pair<std::uint64_t, Value>> sorted;
  sorted.reserve(numbered.size());
  numbered.for_each([&](std::uint64_t number, const Value& value) { sorted.emplace_back(number, value); });
  std::ranges::sort(sorted, {}, [](const auto& entry) { return entry.first; });
  std::vector<Value> values;
  values.reserve(sorted.size());
  for (auto& entry : sorted) values.push_back(std::move(entry.second));
  return values;
}

// The phases in the order of a launch, each with how long it took every time.
class Phases {
 public:
  void add(const model::LaunchTrace& trace) {
    std::size_t after = 0;  // where a phase that is not there yet belongs
    std::map<std::string_view, int> seen;
    for (const auto& step : trace.steps) {
      const int nth = ++seen[step.name];
      auto& phase = find(nth == 1 ? std::string(step.name) : fmt::format("{}#{}", step.name, nth), after);
      phase.took_us.push_back(step.end_us - step.begin_us);
    }
  }
  void add_failures(const std::string& name, std::uint64_t count) {
    std::size_t after = all_.size();
    find(name, after).failed = count;
  }
  json::array to_json() const {
    json::array out;
    for (const auto& phase : all_) {
      auto row = figures_of(model::distribution_of(phase.took_us));
      row["name"] = phase.name;
      row["failed"] = phase.failed;
      out.push_back(std::move(row));
    }
    return out;
  }

 private:
  struct Phase {
    std::string name;
    std::vector<std::int64_t> took_us;
    std::uint64_t failed = 0;
  };
  Phase& find(std::string name, std::size_t& after) {
    auto found = std::ranges::find(all_, name, &Phase::name);
    if (found == all_.end())
      found =
          all_.insert(all_.begin() + static_cast<std::ptrdiff_t>(after), Phase{.name = std::move(name), .took_us = {}});
    after = static_cast<std::size_t>(found - all_.begin()) + 1;
    return *found;
  }
  std::vector<Phase> all_;
};

}  // namespace

std::string utc(std::chrono::system_clock::time_point time) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  const std::time_t seconds = us / 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, us % 1'000'000);
}

json::value to_json(const model::BootTimesPtr& boot) {
  if (!boot) return nullptr;
  json::value sign;
  if (boot->up_by == model::UpSign::agent) sign = "agent";
  if (boot->up_by == model::UpSign::console) sign = "console";
  if (boot->up_by == model::UpSign::network) sign = "network";
  return {{"name", boot->name},
          {"uuid", boot->uuid.text()},
          {"id", boot->id < 0 ? json::value() : json::value(boot->id)},
          {"began", utc(boot->began)},
          {"paused", boot->paused},
          {"failed", boot->failed},
          {"process_us", or_null(boot->process_us)},
          {"running_us", or_null(boot->running_us)},
          {"up_us", or_null(boot->up_us)},
          {"up_by", std::move(sign)}};
}

Response show_boots(const Services& services, const Request&) {
  const auto history = services.host.boots.history().snapshot();
  if (history->storm.empty()) return {.body = {{"storm", nullptr}}};
  const auto starts = in_order(history->storm);
  json::array guests;
  guests.reserve(starts.size());
  for (const auto& start : starts) guests.push_back(to_json(start));
  return {.body = {{"storm",
                    {{"began", utc(starts.front()->began)},
                     {"starts", starts.size()},
                     {"under_way", history->under_way},
                     {"failed", std::ranges::count_if(starts, [](const auto& start) { return start->failed; })},
                     {"process", spread_of(starts, &model::BootTimes::process_us)},
                     {"running", spread_of(starts, &model::BootTimes::running_us)},
                     {"up", spread_of(starts, &model::BootTimes::up_us)},
                     {"guests", std::move(guests)}}}}};
}

Response show_phases(const Services& services, const Request&) {
  const auto history = services.host.boots.history().snapshot();
  Phases phases;
  std::vector<std::int64_t> whole_us;
  for (const auto& trace : in_order(history->launches)) {
    phases.add(*trace);
    whole_us.push_back(trace->total_us());
  }
  for (const auto& [name, count] : history->failed_in) phases.add_failures(name, count);
  return {.body = {{"launches", history->succeeded},
                   {"failed", history->failed},
                   {"kept", history->launches.size()},
                   {"launch", figures_of(model::distribution_of(std::move(whole_us)))},
                   {"phases", phases.to_json()}}};
}

}  // namespace vireo::doors::http
