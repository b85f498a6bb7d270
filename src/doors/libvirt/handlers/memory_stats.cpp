// What a guest does with its memory: what its balloon's driver tells, how often (virDomainMemoryStats,
// virDomainSetMemoryStatsPeriod), and how fast the guest changes it (virDomainStartDirtyRateCalc).
#include "core/stats/fresh.hpp"
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"

namespace vireo::doors::libvirt {
namespace {

using Stats = std::vector<wire::remote_domain_memory_stat>;

// In libvirt's order; a figure that the driver does not tell is left out.
Stats stats_of(const model::DomainDef& live, const model::GuestSample& sample) {
  Stats out;
  const auto number = [&out](int tag, std::uint64_t value) { out.push_back({.tag = tag, .val = value}); };
  const auto count = [&](int tag, const std::optional<std::uint64_t>& value) {
    if (value) number(tag, *value);
  };
  const auto kib = [&](int tag, const std::optional<std::uint64_t>& bytes) {
    if (bytes) number(tag, *bytes / 1024);
  };
  if (live.devices.memballoon && live.devices.memballoon->model != model::BalloonModel::none) {
    // A driver that was never told to report has told nothing.
    const auto report = sample.balloon ? *sample.balloon : model::BalloonReport{};
    number(VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, live.current_memory_kib);
    kib(VIR_DOMAIN_MEMORY_STAT_SWAP_IN, report.swap_in_bytes);
    kib(VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, report.swap_out_bytes);
    count(VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, report.major_faults);
    count(VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, report.minor_faults);
    kib(VIR_DOMAIN_MEMORY_STAT_UNUSED, report.free_bytes);
    kib(VIR_DOMAIN_MEMORY_STAT_AVAILABLE, report.total_bytes);
    kib(VIR_DOMAIN_MEMORY_STAT_USABLE, report.available_bytes);
    number(VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE,
           static_cast<std::uint64_t>(std::max<std::int64_t>(report.last_update_s, 0)));
    kib(VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, report.disk_caches_bytes);
    count(VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, report.hugetlb_allocations);
    count(VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, report.hugetlb_failures);
  }
  if (sample.host) number(VIR_DOMAIN_MEMORY_STAT_RSS, sample.host->rss_kib);
  return out;
}

asio::awaitable<Result<wire::remote_domain_memory_stats_ret>> memory_stats(Call call,
                                                                           wire::remote_domain_memory_stats_args args) {
  if (auto ok = check_flags(call, args.flags, 0); !ok) co_return pass_on(ok);
  if (args.maxStats > wire::REMOTE_DOMAIN_MEMORY_STATS_MAX)
    co_return fail(VIR_ERR_INTERNAL_ERROR, "maxStats > REMOTE_DOMAIN_MEMORY_STATS_MAX");
  auto guest = find_running(call, args.dom);
  if (!guest) co_return pass_on(guest);
  auto sample = co_await core::fresh_sample(host_of(call), *guest, VIR_DOMAIN_STATS_BALLOON);
  if (!sample) co_return pass_on(sample);
  auto stats = stats_of((*guest)->current(), **sample);
  if (stats.size() > args.maxStats) stats.resize(args.maxStats);
  co_return wire::remote_domain_memory_stats_ret{.stats = std::move(stats)};
}

asio::awaitable<Result<Nothing>> set_period(Call call, wire::remote_domain_set_memory_stats_period_args args) {
  if (auto ok = check_flags(call, args.flags, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG); !ok)
    co_return pass_on(ok);
  if (args.period < 0)
    co_return fail_from(VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                        "period in virDomainSetMemoryStatsPeriod must be zero or greater");
  auto done =
      co_await core::set_stats_period(host_of(call), ref_of(args.dom), static_cast<unsigned>(args.period), args.flags);
  if (!done) co_return pass_on(done);
  co_return Nothing{};
}

asio::awaitable<Result<Nothing>> start_dirty_rate(Call call, wire::remote_domain_start_dirty_rate_calc_args args) {
  constexpr unsigned bitmap = VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_BITMAP, ring = VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_RING;
  if (auto ok = check_flags(call, args.flags, bitmap | ring); !ok) co_return pass_on(ok);
  constexpr int shortest_s = 1, longest_s = 60;
  if (args.seconds < shortest_s || args.seconds > longest_s)
    co_return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                   fmt::format("seconds={} is invalid, please choose value within [{}, {}].", args.seconds, shortest_s,
                               longest_s));
  if ((args.flags & bitmap) && (args.flags & ring))
    co_return fail_from(VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG,
                        "Flags 'VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_BITMAP' and 'VIR_DOMAIN_DIRTYRATE_MODE_DIRTY_RING' are "
                        "mutually exclusive");
  auto mode = core::DirtyRateMode::sampling;
  if (args.flags & bitmap) mode = core::DirtyRateMode::bitmap;
  if (args.flags & ring) mode = core::DirtyRateMode::ring;
  auto begun = co_await core::start_dirty_rate(host_of(call), ref_of(args.dom), args.seconds, mode);
  if (!begun) co_return pass_on(begun);
  co_return Nothing{};
}

}  // namespace

void register_memory_stats(HandlerTable& table) {
  using proc::Remote;
  table.change(Remote::domain_memory_stats, &memory_stats);
  table.change(Remote::domain_set_memory_stats_period, &set_period);
  table.change(Remote::domain_start_dirty_rate_calc, &start_dirty_rate);
}

}  // namespace vireo::doors::libvirt
