// About the daemon itself.
#include <boost/json/array.hpp>

#include "doors/http/handlers/handlers.hpp"

namespace vireo::doors::http {

Response show_daemon(const Services& services, const Request&) {
  const auto facts = services.facts();
  const auto version = services.host.registry.versions().pin();
  json::object counters;
  for (const auto& counter : facts.counters) {
    auto& group = counters[counter.group];
    if (!group.is_object()) group.emplace_object();
    group.get_object()[counter.name] = counter.value;
  }
  return {
      .body = {{"version", facts.version},
               {"pid", facts.pid},
               {"uptime_ms", facts.uptime.count()},
               {"domains",
                {{"running", version->by_id.size()}, {"shut_off", version->by_uuid.size() - version->by_id.size()}}},
               {"counters", std::move(counters)}}};
}

asio::awaitable<Response> reload(const Services& services, Request) {
  // To its end, whether or not somebody still wants to know.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto done = co_await services.reload();
  if (!done) co_return refusal(done.error());
  co_return Response{.body = {{"file", done->file},
                              {"changed", json::array(done->changed.begin(), done->changed.end())},
                              {"at_next_start", json::array(done->at_next_start.begin(), done->at_next_start.end())}}};
}

}  // namespace vireo::doors::http
