// What of a sample goes into a history: the sampler tells each turn, and what is not of that turn is left out.
#include "core/stats/guest_history.hpp"

#include "core/host.hpp"

namespace vireo::core {

std::int64_t history_ms(SteadyClock::time_point at) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

void GuestHistory::add(const model::GuestSample& sample, const model::DomainDef& live, SteadyClock::time_point now,
                       std::chrono::milliseconds period) {
  const auto utc = std::chrono::system_clock::now().time_since_epoch() + (now - SteadyClock::now());
  history_.append(history_ms(now), std::chrono::duration_cast<std::chrono::milliseconds>(utc).count(),
                  static_cast<std::uint32_t>(period.count()), rates_.next(sample, live, period));
}

void remember(Host& host, const DomainPtr& domain) {
  if (!host.settings.keep_history || !domain->run) return;
  const auto sample = domain->pulse->sample_of(domain->run->id);
  if (!sample) return;
  if (!domain->history) domain->history = std::make_shared<GuestHistory>();
  domain->history->add(*sample, *domain->run->live, SteadyClock::now(), host.sampler.period());
}

}  // namespace vireo::core
