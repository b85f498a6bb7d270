// What waited for what, and how busy the core thread is: read off counters that are always kept, without a lock that
// anybody else waits for.
#include <boost/json/array.hpp>

#include "base/wait_site.hpp"
#include "doors/http/handlers/handlers.hpp"

namespace vireo::doors::http {
namespace {

std::int64_t in_us(std::uint64_t ns) { return static_cast<std::int64_t>(ns / 1000); }

json::object to_json(const LoopMeter::Figures& core) {
  return {{"load", core.load()},
          {"busy_us", in_us(static_cast<std::uint64_t>(core.busy.count()))},
          {"turns", core.turns},
          {"longest_turn_us", in_us(static_cast<std::uint64_t>(core.longest.count()))}};
}

json::object to_json(const WaitRow& row) {
  return {{"kind", row.kind},
          {"waited_for", row.what},
          {"function", row.function},
          {"file", row.file},
          {"line", row.line},
          {"held_by", row.holder.empty() ? json::value() : json::value(row.holder)},
          {"count", row.count},
          {"average_us", in_us(row.total_ns / row.count)},
          {"maximum_us", in_us(row.max_ns)},
          {"total_us", in_us(row.total_ns)}};
}

}  // namespace

Response show_contention(const Services& services, const Request&) {
  const auto core = services.core_loop.figures();
  json::array sites;
  for (const auto& row : WaitReport::take()) sites.push_back(to_json(row));
  return {.body = {{"span_us", in_us(static_cast<std::uint64_t>(core.span.count()))},
                   {"core", to_json(core)},
                   {"sites", std::move(sites)}}};
}

asio::awaitable<Response> reset_contention(const Services& services, Request request) {
  auto last = show_contention(services, request);
  WaitReport::reset();
  services.core_loop.reset();
  co_return last;
}

}  // namespace vireo::doors::http
