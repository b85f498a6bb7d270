// What all guests do now, in one answer: composed by a worker from the last samples.
#include <boost/json/array.hpp>

#include "core/stats/liveness.hpp"
#include "core/stats/refresh.hpp"
#include "doors/http/handlers/handlers.hpp"
#include "doors/http/handlers/liveness_json.hpp"
#include "doors/http/state_words.hpp"

namespace vireo::doors::http {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(300), kComposing = std::chrono::milliseconds(10'000);

// What the kernel counts is read anew when it is older than this, so that who watches sees it move. Reading costs a
// tenth of a millisecond for each guest, so many guests are read less often: never for more than a tenth of the time.
SteadyClock::duration oldest_for(std::size_t guests) {
  return std::max<SteadyClock::duration>(std::chrono::seconds(1), std::chrono::milliseconds(guests));
}

json::value disk_json(const model::GuestSample* sample) {
  if (!sample || !sample->block) return nullptr;
  std::uint64_t reads = 0, read_bytes = 0, writes = 0, written_bytes = 0, failed = 0;
  for (const auto& disk : *sample->block) {
    if (disk.chain.empty()) continue;
    const auto& image = disk.chain.front();  // what the guest itself does; what is behind serves it
    reads += image.reads;
    read_bytes += image.read_bytes;
    writes += image.writes;
    written_bytes += image.written_bytes;
    failed += image.failed_reads + image.failed_writes + image.failed_flushes;
  }
  return {{"at_us", at_us(sample->block.at)}, {"reads", reads},  {"read_bytes", read_bytes}, {"writes", writes},
          {"written_bytes", written_bytes},   {"failed", failed}};
}

json::object net_json(const model::HostFigures& host) {
  std::uint64_t rx_bytes = 0, tx_bytes = 0;
  for (const auto& nic : host.nets) {
    rx_bytes += nic.rx_bytes;
    tx_bytes += nic.tx_bytes;
  }
  return {{"rx_bytes", rx_bytes}, {"tx_bytes", tx_bytes}};
}

json::value kernel_json(const model::GuestSample* sample) {
  if (!sample || !sample->host) return nullptr;
  const auto& host = *sample->host;
  return {{"at_us", at_us(sample->host.at)},
          {"cpu_ns", host.cpu_ns},
          {"rss_kib", host.rss_kib},
          {"net", net_json(host)},
          {"pressure", pressure_json(&host)}};
}

json::object top_json(const model::DomainView& guest, SteadyClock::time_point now) {
  const auto sample = guest.active() && guest.pulse ? guest.pulse->sample_of(guest.id) : nullptr;
  const auto& current = guest.current();
  return {{"name", guest.name},
          {"uuid", guest.uuid.text()},
          {"id", guest.active() ? json::value(guest.id) : json::value()},
          {"state", state_word(guest.state)},
          {"vcpus", current.vcpus()},
          {"memory_kib", current.current_memory_kib},
          {"kernel", kernel_json(sample.get())},
          {"disk", disk_json(sample.get())},
          {"monitor", monitor_json(sample.get(), now)},
          {"age_ms", sample && sample->host ? json::value(in_ms(now - sample->host.at)) : json::value()},
          {"liveness", liveness_json(guest, now)},
          {"lane", lane_json(guest, now)}};
}

json::object host_json(const ports::HostFacts& facts) {
  const auto load = facts.load();
  const auto times = facts.cpu_times(std::nullopt).value_or(ports::CpuTimes{});
  constexpr std::uint64_t ns_per_ms = 1'000'000;
  return {{"name", facts.hostname()},
          {"cpus", facts.node().cpus},
          {"busy_ms", (times.kernel_ns + times.user_ns) / ns_per_ms},
          {"idle_ms", (times.idle_ns + times.iowait_ns) / ns_per_ms},
          {"load", json::array{load.load_1, load.load_5, load.load_15}},
          {"memory_kib", load.memory_kib},
          {"available_kib", load.available_kib}};
}

}  // namespace

asio::awaitable<Response> show_top(const Services& services, Request) {
  auto& host = services.host;
  host.sampler.want();
  std::vector<model::DomainViewPtr> running;
  host.registry.versions().snapshot()->by_id.for_each(
      [&running](int, const model::DomainViewPtr& view) { running.push_back(view); });
  const auto oldest = oldest_for(running.size());
  co_await core::refresh_from_kernel(host, std::move(running), oldest, Deadline::in(kPatience));
  std::move_only_function<Result<json::object>()> compose = [version = host.registry.versions().snapshot(),
                                                             &facts = host.facts,
                                                             period = host.sampler.period()]() -> Result<json::object> {
    const auto now = SteadyClock::now();
    json::array domains;
    domains.reserve(version->by_uuid.size());
    version->by_name.for_each(
        [&](std::string_view, const model::DomainViewPtr& guest) { domains.push_back(top_json(*guest, now)); });
    return json::object{{"taken", utc(std::chrono::system_clock::now())},
                        {"period_ms", period.count()},
                        {"host", host_json(facts)},
                        {"domains", std::move(domains)}};
  };
  auto composed = co_await services.scrapes.run<json::object>(std::move(compose), Deadline::in(kComposing));
  if (!composed) co_return refusal(composed.error());
  co_return Response{.body = std::move(*composed)};
}

}  // namespace vireo::doors::http
