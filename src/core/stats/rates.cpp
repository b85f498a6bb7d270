// Sums over devices, and differences.
#include "core/stats/rates.hpp"

namespace vireo::core {
namespace {

constexpr double kPercent = 100;

class Writer {
 public:
  Writer(Row& row, SteadyClock::duration since) : row_(row), seconds_(std::chrono::duration<double>(since).count()) {}

  void put(Series series, std::optional<double> value) { row_[static_cast<std::size_t>(series)] = value; }
  // `unit`: how much of what is counted is one.
  void rate(Series series, std::uint64_t before, std::uint64_t now, double unit = 1) {
    put(series, static_cast<double>(now - before) / unit / seconds_);
  }
  void share(Series series, std::uint64_t before, std::uint64_t now, double per_second) {
    rate(series, before, now, per_second / kPercent);
  }

 private:
  Row& row_;
  double seconds_;
};

constexpr double kNs = 1e9, kUs = 1e6, kNsInMs = 1e6;

std::optional<double> latency_ms(std::uint64_t took_ns, std::uint64_t requests) {
  if (requests == 0) return std::nullopt;
  return static_cast<double>(took_ns) / static_cast<double>(requests) / kNsInMs;
}

// What the guest uses of its memory, as it says itself.
std::optional<double> used_bytes(const model::BalloonReport& report) {
  const auto left = report.available_bytes ? report.available_bytes : report.free_bytes;
  if (report.last_update_s <= 0 || !report.total_bytes || !left || *left > *report.total_bytes) return std::nullopt;
  return static_cast<double>(*report.total_bytes - *left);
}

// Whether all of these counters, and what they count of, went on from `before`.
template <class Counts, class... Field>
bool goes_on(const Counts& before, const Counts& now, Field... field) {
  return ((now.*field >= before.*field) && ...);
}

}  // namespace

Rates::HostCounts Rates::counts_of(const model::HostFigures& host) {
  HostCounts out{.cpu_ns = host.cpu_ns,
                 .cpu_stall_us = host.cpu_stall_us.value_or(0),
                 .memory_stall_us = host.memory_stall_us.value_or(0),
                 .io_stall_us = host.io_stall_us.value_or(0),
                 .nets = static_cast<std::uint32_t>(host.nets.size())};
  for (const auto& vcpu : host.vcpus)
    if (vcpu) {
      ++out.vcpus;
      out.delay_ns += vcpu->delay_ns;
    }
  for (const auto& net : host.nets) {
    out.rx_bytes += net.rx_bytes;
    out.tx_bytes += net.tx_bytes;
    out.rx_packets += net.rx_packets;
    out.tx_packets += net.tx_packets;
  }
  return out;
}

Rates::DiskCounts Rates::counts_of(const model::BlockCounts& block) {
  DiskCounts out{.disks = static_cast<std::uint32_t>(block.size())};
  for (const auto& disk : block) {
    if (disk.chain.empty()) continue;
    const auto& top = disk.chain.front();
    out.reads += top.reads;
    out.writes += top.writes;
    out.read_bytes += top.read_bytes;
    out.written_bytes += top.written_bytes;
    out.read_ns += top.read_ns;
    out.write_ns += top.write_ns;
    out.flushes += top.flushes;
    out.failures += top.failed_reads + top.failed_writes + top.failed_flushes;
  }
  return out;
}

void Rates::host_rates(Row& row, const model::HostFigures& host, const HostCounts& before, const HostCounts& now,
                       SteadyClock::duration since) const {
  using H = HostCounts;
  Writer out(row, since);
  if (now.cpu_ns >= before.cpu_ns) out.share(Series::cpu, before.cpu_ns, now.cpu_ns, kNs);
  if (now.vcpus > 0 && now.vcpus == before.vcpus && now.delay_ns >= before.delay_ns)
    out.share(Series::cpu_delay, before.delay_ns, now.delay_ns, kNs);
  if (now.nets > 0 && now.nets == before.nets &&
      goes_on(before, now, &H::rx_bytes, &H::tx_bytes, &H::rx_packets, &H::tx_packets)) {
    out.rate(Series::net_receive, before.rx_bytes, now.rx_bytes);
    out.rate(Series::net_send, before.tx_bytes, now.tx_bytes);
    out.rate(Series::net_receive_packets, before.rx_packets, now.rx_packets);
    out.rate(Series::net_send_packets, before.tx_packets, now.tx_packets);
  }
  if (!goes_on(before, now, &H::cpu_stall_us, &H::memory_stall_us, &H::io_stall_us)) return;
  if (host.cpu_stall_us) out.share(Series::cpu_stall, before.cpu_stall_us, now.cpu_stall_us, kUs);
  if (host.memory_stall_us) out.share(Series::memory_stall, before.memory_stall_us, now.memory_stall_us, kUs);
  if (host.io_stall_us) out.share(Series::io_stall, before.io_stall_us, now.io_stall_us, kUs);
}

void Rates::disk_rates(Row& row, const DiskCounts& before, const DiskCounts& now, SteadyClock::duration since) const {
  using D = DiskCounts;
  if (now.disks == 0 || now.disks != before.disks ||
      !goes_on(before, now, &D::reads, &D::writes, &D::read_bytes, &D::written_bytes, &D::read_ns, &D::write_ns,
               &D::flushes, &D::failures))
    return;
  Writer out(row, since);
  out.rate(Series::disk_read, before.read_bytes, now.read_bytes);
  out.rate(Series::disk_write, before.written_bytes, now.written_bytes);
  out.rate(Series::disk_read_requests, before.reads, now.reads);
  out.rate(Series::disk_write_requests, before.writes, now.writes);
  out.rate(Series::disk_flushes, before.flushes, now.flushes);
  out.put(Series::disk_read_latency, latency_ms(now.read_ns - before.read_ns, now.reads - before.reads));
  out.put(Series::disk_write_latency, latency_ms(now.write_ns - before.write_ns, now.writes - before.writes));
  out.rate(Series::disk_failures, before.failures, now.failures);
}

Row Rates::next(const model::GuestSample& sample, const model::DomainDef& live, SteadyClock::duration period) {
  if (std::exchange(life_, sample.id) != sample.id) *this = Rates{};
  life_ = sample.id;
  Row row{};
  Writer out(row, period);
  const auto take = [&](auto& last, auto counts, SteadyClock::time_point at, auto&& rates) {
    const auto before = std::exchange(last, {counts, at});
    const auto since = at - before.at;
    if (before.at.time_since_epoch().count() != 0 && since.count() > 0 && since <= period * kMostPeriods)
      rates(before.counts, counts, since);
  };
  constexpr double kib = 1024;

  // Of a process that has ended all figures are zero.
  if (sample.host && sample.host.at > host_.at && sample.host->cpu_ns > 0) {
    out.put(Series::memory, static_cast<double>(sample.host->rss_kib) * kib);
    out.put(Series::memory_balloon, static_cast<double>(live.current_memory_kib) * kib);
    take(host_, counts_of(*sample.host), sample.host.at,
         [&](const auto& before, const auto& now, auto since) { host_rates(row, *sample.host, before, now, since); });
  }
  if (sample.block && sample.block.at > disks_.at)
    take(disks_, counts_of(*sample.block), sample.block.at,
         [&](const auto& before, const auto& now, auto since) { disk_rates(row, before, now, since); });
  if (sample.balloon && sample.balloon.at > balloon_at_) {
    balloon_at_ = sample.balloon.at;
    out.put(Series::memory_used, used_bytes(*sample.balloon));
  }
  if (const auto& monitor = sample.monitor; monitor.answered_at && *monitor.answered_at > answered_at_) {
    answered_at_ = *monitor.answered_at;
    if (monitor.round_trip)
      out.put(Series::monitor, std::chrono::duration<double, std::milli>(*monitor.round_trip).count());
  }
  return row;
}

}  // namespace vireo::core
