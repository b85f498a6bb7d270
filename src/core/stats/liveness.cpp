// Deciding what to tell.
#include "core/stats/liveness.hpp"

#include <algorithm>
#include <vector>

namespace vireo::core {
namespace {

using Kind = Liveness::Kind;

std::string span_text(SteadyClock::duration span) {
  const auto s = std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::seconds>(span).count(), 0);
  if (s < 120) return fmt::format("{} s", s);
  if (s < 7200) return fmt::format("{} min", s / 60);
  return fmt::format("{} h", s / 3600);
}

// The thread that has slept longest.
const model::StuckThread* worst_of(const model::GuestSample* sample) {
  if (!sample || !sample->host || sample->host->stuck.empty()) return nullptr;
  return &*std::ranges::min_element(sample->host->stuck, {}, &model::StuckThread::since);
}

std::string place_of(const model::StuckThread& thread) {
  std::string out = "stuck";
  if (!thread.where.empty()) out += " in " + thread.where;
  if (!thread.file.empty()) out += " on " + thread.file;
  return out;
}

std::string lane_text(const model::LaneGauge::Figures& lane) {
  auto out = fmt::format("lane held by '{}' for {}", lane.holder, span_text(lane.held_for));
  if (lane.waiting == 1) out += ", 1 waits";
  if (lane.waiting > 1) out += fmt::format(", {} wait", lane.waiting);
  return out;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

}  // namespace

std::string_view word_of(Kind kind) {
  switch (kind) {
    case Kind::shut_off:
      return "shut_off";
    case Kind::healthy:
      return "healthy";
    case Kind::busy:
      return "busy";
    case Kind::silent:
      return "silent";
    case Kind::stuck:
      return "stuck";
    case Kind::stopped:
      return "stopped";
  }
  return "unknown";
}

Liveness liveness_of(const model::DomainView& guest, const model::GuestSample* sample,
                     const model::LaneGauge::Figures& lane, SteadyClock::time_point now) {
  Liveness out{.kind = guest.active() ? Kind::healthy : Kind::shut_off};
  std::vector<std::string> parts;
  const auto found = [&](Kind kind, std::string part) {
    out.kind = std::max(out.kind, kind);
    parts.push_back(std::move(part));
  };
  if (guest.active() && sample) {
    const auto& waiting = sample->monitor.waiting_since;
    const bool silent = waiting && now - *waiting >= kNotable;
    if (sample->host && sample->host->stopped) found(Kind::stopped, "stopped by a signal");
    if (silent) found(Kind::silent, "silent for " + span_text(now - *waiting));
    // A thread that has just been seen asleep may be awake again, unless nobody answers.
    if (const auto* thread = worst_of(sample)) {
      // Until when it is known to have slept: the thread was looked at then.
      const auto slept = sample->host.at - thread->since;
      if (slept >= kNotable)
        found(Kind::stuck, place_of(*thread) + (silent ? "" : " for " + span_text(now - thread->since)));
      else if (silent)
        found(Kind::stuck, place_of(*thread));
    }
  }
  if (lane.holder && lane.held_for >= kNotable) found(Kind::busy, lane_text(lane));
  if (!parts.empty())
    out.sentence = joined(parts);
  else
    out.sentence = !guest.active() ? "shut off" : sample && sample->host ? "healthy" : "not measured yet";
  return out;
}

Liveness liveness_of(const model::DomainView& guest, SteadyClock::time_point now) {
  const auto sample = guest.pulse ? guest.pulse->sample_of(guest.id) : nullptr;
  return liveness_of(guest, sample.get(), guest.pulse ? guest.pulse->lane.figures(now) : model::LaneGauge::Figures{},
                     now);
}

}  // namespace vireo::core
