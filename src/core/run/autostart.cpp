// Starting guests with their host: in groups of one order, each group as one batch.
#include <limits>
#include <map>

#include "base/log.hpp"
#include "core/run/run.hpp"
#include "core/verbs/start_many.hpp"

namespace vireo::core {
namespace {

struct Marked {
  DomainRef ref;
  std::chrono::seconds delay;
};

// By order; those without one are the last group.
std::map<std::uint64_t, std::vector<Marked>> groups_of(Host& host) {
  std::map<std::uint64_t, std::vector<Marked>> groups;
  for (const auto& domain : host.registry.all()) {
    if (!domain->view || !domain->view->autostart || domain->view->active()) continue;
    const auto& plan = domain->view->persistent->autostart_plan;
    const std::uint64_t order = plan.order ? *plan.order : std::numeric_limits<std::uint64_t>::max();
    groups[order].push_back(
        {.ref = {.uuid = domain->uuid, .name = domain->name}, .delay = std::chrono::seconds(plan.delay_s)});
  }
  return groups;
}

}  // namespace

asio::awaitable<void> autostart(Host& host) {
  const auto groups = groups_of(host);
  std::size_t started = 0, failed = 0;
  auto may_begin = SteadyClock::now();
  for (const auto& [order, group] : groups) {
    if (may_begin > SteadyClock::now()) {
      Timer pause(host.core, may_begin);
      co_await pause.async_wait(asio::use_awaitable);
    }
    std::vector<DomainRef> guests;
    guests.reserve(group.size());
    for (const auto& marked : group) guests.push_back(marked.ref);
    const auto results = co_await start_these(host, std::move(guests), {.parallel = host.settings.autostart_parallel});
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto& result = results[i];
      if (result.outcome == BatchResult::Outcome::Started) {
        ++started;
        may_begin = std::max(may_begin, result.at + group[i].delay);
      } else if (result.error) {
        ++failed;
        log::error("autostart of guest '{}' failed: {}", result.domain.name, result.error->message());
      }
    }
  }
  if (started + failed > 0) log::info("autostart: {} guests were started, {} failed", started, failed);
}

}  // namespace vireo::core
