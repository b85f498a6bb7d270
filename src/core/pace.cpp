// The rule, and following the load with it.
#include "core/pace.hpp"

#include "core/host.hpp"

namespace vireo::core {

unsigned next_limit(unsigned now, const ports::HostLoad& load) {
  constexpr double memory_stalls = 10, disks_stall = 60;  // percent of the time
  constexpr std::uint64_t little_memory = 32;             // a thirty-second of it is left
  if (load.memory_stall > memory_stalls || load.available_kib < load.memory_kib / little_memory) return 1;
  if (load.disk_stall > disks_stall) return std::max(1U, now / 2);
  return std::min(most_launches(load.processors), now + 1);
}

asio::awaitable<void> keep_pace(Host& host) {
  constexpr auto span = std::chrono::milliseconds(500);
  while (!host.admission.idle() && host.settings.parallel_starts == 0) {
    auto load = co_await host.files.run<ports::HostLoad>(
        [&facts = host.facts]() -> Result<ports::HostLoad> { return facts.load(); }, Deadline::in(span));
    if (load) host.admission.set_limit(next_limit(host.admission.limit(), *load));
    Wake nobody(host.core);
    co_await nobody.wait(Deadline::in(span));
  }
  host.keeps_pace = false;
}

}  // namespace vireo::core
