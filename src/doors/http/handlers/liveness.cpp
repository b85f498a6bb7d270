// How alive a guest is, with all that is known of why.
#include "core/stats/liveness.hpp"

#include <boost/json/array.hpp>

#include "core/stats/refresh.hpp"
#include "doors/http/handlers/handlers.hpp"
#include "doors/http/handlers/liveness_json.hpp"

namespace vireo::doors::http {
namespace {

// The kernel answers in microseconds; its readers may be busy.
constexpr auto kPatience = std::chrono::milliseconds(300);

template <class Number>
json::value number_or_null(const std::optional<Number>& number) {
  return number ? json::value(*number) : json::value();
}

json::object to_json(const model::StuckThread& thread, SteadyClock::time_point now) {
  const auto text_or_null = [](const std::string& text) { return text.empty() ? json::value() : json::value(text); };
  return {{"tid", thread.tid},
          {"name", thread.name},
          {"where", text_or_null(thread.where)},
          {"file", text_or_null(thread.file)},
          {"for_ms", in_ms(now - thread.since)}};
}

}  // namespace

json::object liveness_json(const model::DomainView& guest, SteadyClock::time_point now) {
  const auto liveness = core::liveness_of(guest, now);
  return {{"kind", core::word_of(liveness.kind)}, {"sentence", liveness.sentence}};
}

json::object monitor_json(const model::GuestSample* sample, SteadyClock::time_point now) {
  const auto health = sample ? sample->monitor : model::MonitorHealth{};
  return {{"round_trip_us",
           health.round_trip
               ? json::value(std::chrono::duration_cast<std::chrono::microseconds>(*health.round_trip).count())
               : json::value()},
          {"answered_ago_ms", health.answered_at ? json::value(in_ms(now - *health.answered_at)) : json::value()},
          {"waiting_ms", health.waiting_since ? json::value(in_ms(now - *health.waiting_since)) : json::value()},
          {"answers", health.answers},
          {"failures", health.failures}};
}

json::object lane_json(const model::DomainView& guest, SteadyClock::time_point now) {
  const auto lane = guest.pulse ? guest.pulse->lane.figures(now) : model::LaneGauge::Figures{};
  return {{"holder", lane.holder ? json::value(lane.holder) : json::value()},
          {"held_ms", lane.holder ? json::value(in_ms(lane.held_for)) : json::value()},
          {"waiting", lane.waiting}};
}

json::object pressure_json(const model::HostFigures* host) {
  const auto nothing = model::HostFigures{};
  const auto& figures = host ? *host : nothing;
  return {{"cpu_stall_us", number_or_null(figures.cpu_stall_us)},
          {"memory_stall_us", number_or_null(figures.memory_stall_us)},
          {"io_stall_us", number_or_null(figures.io_stall_us)}};
}

asio::awaitable<Response> show_liveness(const Services& services, Request request) {
  auto found = find_domain(services, request.arguments.front());
  if (!found) co_return refusal(found.error());
  const auto& view = *found;
  services.host.sampler.want();
  std::vector<model::DomainViewPtr> one{view};
  co_await core::refresh_from_kernel(services.host, std::move(one), SteadyClock::duration::zero(),
                                     Deadline::in(kPatience));
  const auto now = SteadyClock::now();
  const auto sample = view->pulse->sample_of(view->id);
  const auto* host = sample ? sample->host.value.get() : nullptr;
  json::array stuck;
  if (host)
    for (const auto& thread : host->stuck) stuck.push_back(to_json(thread, now));
  co_return Response{.body = {{"domain", to_json(*view)},
                              {"liveness", liveness_json(*view, now)},
                              {"monitor", monitor_json(sample.get(), now)},
                              {"lane", lane_json(*view, now)},
                              {"stopped", host && host->stopped},
                              {"stuck", std::move(stuck)},
                              {"pressure", pressure_json(host)},
                              {"age_ms", host ? json::value(in_ms(now - sample->host.at)) : json::value()}}};
}

}  // namespace vireo::doors::http
