// What is said of a guest's liveness, for all answers that do.
#pragma once

#include "doors/http/message.hpp"
#include "model/domain_view.hpp"

namespace vireo::doors::http {

// {"kind", "sentence"} of core/stats/liveness.hpp
json::object liveness_json(const model::DomainView& guest, SteadyClock::time_point now);
// {"round_trip_us", "answered_ago_ms", "waiting_ms", "answers", "failures"}
json::object monitor_json(const model::GuestSample* sample, SteadyClock::time_point now);
// {"holder", "held_ms", "waiting"}
json::object lane_json(const model::DomainView& guest, SteadyClock::time_point now);
// {"cpu_stall_us", "memory_stall_us", "io_stall_us"}
json::object pressure_json(const model::HostFigures* host);

// The time of a figure, to tell two of them apart and by how much.
inline std::int64_t at_us(SteadyClock::time_point at) {
  return std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
}
inline std::int64_t in_ms(SteadyClock::duration span) {
  return std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(span).count(), 0);
}

}  // namespace vireo::doors::http
