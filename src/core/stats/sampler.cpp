// Turns of the sampler.
#include "core/stats/sampler.hpp"

#include "base/wake.hpp"
#include "core/host.hpp"
#include "core/stats/asker.hpp"
#include "core/stats/refresh.hpp"

namespace vireo::core {
namespace {

constexpr unsigned kTurns = 50;  // in each period
constexpr auto kWantedFor = std::chrono::minutes(1);

}  // namespace

void Sampler::start(Taken taken) {
  taken_ = std::move(taken);
  asio::co_spawn(host_.core, run(host_, *this), asio::detached);
}

bool Sampler::is_wanted() const {
  const auto wanted = SteadyClock::duration(wanted_at_.load(std::memory_order_relaxed));
  return host_.settings.keep_history ||
         (wanted.count() != 0 && SteadyClock::now().time_since_epoch() - wanted < kWantedFor);
}

asio::awaitable<void> Sampler::sample(Host& host, Sampler& self, std::vector<model::DomainViewPtr> guests) {
  co_await refresh(host, guests, kAllStats, Deadline::in(host.settings.stats_deadline), true);
  if (!self.taken_) co_return;
  for (const auto& view : guests)
    if (const auto domain = host.registry.find(view->uuid); domain && domain->run && domain->run->id == view->id)
      self.taken_(domain);
}

asio::awaitable<void> Sampler::run(Host& host, Sampler& self) {
  auto due = SteadyClock::now();
  for (;;) {
    // Who runs now has a turn in this period; who starts meanwhile, in the next.
    std::vector<model::DomainViewPtr> all;
    const bool wanted = self.is_wanted();
    if (wanted)
      host.registry.versions().snapshot()->by_id.for_each(
          [&all](int, const model::DomainViewPtr& view) { all.push_back(view); });
    for (unsigned turn = 0; turn < kTurns; ++turn) {
      due += self.period() / kTurns;
      Wake nobody(host.core);
      co_await nobody.wait(Deadline::at(due));
      const auto late = SteadyClock::now() - due;
      self.lag_.add(std::max(late, SteadyClock::duration::zero()));
      if (late > self.period()) due = SteadyClock::now();  // the host stood still: nothing to catch up on
      const auto share = std::span(all).subspan(all.size() * turn / kTurns,
                                                all.size() * (turn + 1) / kTurns - all.size() * turn / kTurns);
      std::vector<model::DomainViewPtr> batch(share.begin(), share.end());
      if (!batch.empty()) asio::co_spawn(host.core, sample(host, self, std::move(batch)), asio::detached);
      // Whoever is the first to want to know does not wait for a period in which nobody did.
      if (!wanted && self.is_wanted()) break;
    }
  }
}

}  // namespace vireo::core
