// Measures, inside one process and on one thread, what a scrape of /metrics takes of many running guests that have been
// sampled: each with two vCPUs, a disk, a network card and a balloon that reports. Prints milliseconds (the median of
// several) and the size of the text.
//
//   bench_scrape [--guests N,…]
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <random>

#include "arguments.hpp"
#include "doors/http/metrics/render.hpp"
#include "report.hpp"

namespace vireo::bench {
namespace {

constexpr int repeats = 11;  // the median of these counts

template <class T>
model::Timed<T> now(T value) {
  return {std::make_shared<const T>(std::move(value)), SteadyClock::now()};
}

model::DomainViewPtr guest(int n) {
  auto def = std::make_shared<model::DomainDef>();
  def->name = fmt::format("customer-{:02}-web-{:05}", n % 97, n);
  std::mt19937_64 random(static_cast<std::uint64_t>(n) + 1);
  for (auto& byte : def->uuid.bytes) byte = static_cast<std::uint8_t>(random());
  def->vcpus_max = 2;
  def->devices.disks.push_back({.file = "/images/" + def->name, .target = "vda", .info = {.alias = "virtio-disk0"}});
  const auto target = fmt::format("vnet{}", n);
  def->devices.interfaces.push_back({.type = model::InterfaceType::bridge, .bridge = "br0", .target = target});
  def->devices.memballoon.emplace();

  model::GuestSample sample{.id = n + 1};
  const auto count = [&random] { return random() >> 24U; };
  model::HostFigures host{.cpu_ns = count(), .user_ns = count(), .system_ns = count(), .rss_kib = count() >> 20U};
  for (int i = 0; i < 2; ++i) host.vcpus.push_back(model::VcpuTimes{.run_ns = count(), .delay_ns = count()});
  host.nets.push_back({.target = target, .rx_bytes = count(), .rx_packets = count(), .tx_bytes = count()});
  host.files.push_back({.path = def->devices.disks[0].file, .length_bytes = count(), .allocated_bytes = count()});
  sample.host = now(std::move(host));
  model::ImageCounts image{.node = "libvirt-1-format", .reads = count(), .read_bytes = count(), .writes = count()};
  sample.block = now(model::BlockCounts{{.alias = "virtio-disk0", .chain = {image}}});
  sample.images = now(model::BlockFacts{{.node = image.node, .file = "", .capacity_bytes = count()}});
  sample.balloon = now(model::BalloonReport{.last_update_s = 1, .major_faults = count(), .total_bytes = count()});
  sample.monitor.round_trip = std::chrono::milliseconds(1);
  sample.monitor.answered_at = SteadyClock::now();

  auto pulse = std::make_shared<model::Pulse>();
  pulse->sample.set(std::make_shared<const model::GuestSample>(std::move(sample)));
  model::DomainView view{.uuid = def->uuid, .name = def->name, .id = n + 1, .persistent = def, .live = def};
  view.state = VIR_DOMAIN_RUNNING;
  view.pulse = std::move(pulse);
  return std::make_shared<const model::DomainView>(std::move(view));
}

void measure(int guests, doors::http::Format format) {
  model::HostVersion version;
  for (int n = 0; n < guests; ++n) {
    auto view = guest(n);
    version.by_uuid = version.by_uuid.set(view->uuid, view);
  }
  std::vector<double> all;
  std::size_t bytes = 0;
  for (int i = 0; i < repeats; ++i) {
    const auto begun = Clock::now();
    bytes = doors::http::render_guests(version, std::chrono::hours(1), format).size();
    all.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
  }
  std::ranges::nth_element(all, all.begin() + repeats / 2);
  fmt::print("{:6} guests, {}: {:.1f} ms, {:.2f} MiB ({} bytes each)\n", guests,
             format == doors::http::Format::openmetrics ? "OpenMetrics" : "Prometheus' text", all[repeats / 2],
             static_cast<double>(bytes) / (1 << 20), bytes / static_cast<std::size_t>(std::max(guests, 1)));
}

}  // namespace
}  // namespace vireo::bench

int main(int argc, char** argv) {
  using namespace vireo;
  const auto arguments = bench::Arguments::parse(argc, argv, {"guests"});
  if (!arguments || !arguments->servers.empty()) {
    fmt::print(stderr, "usage: bench_scrape [--guests N,...]\n");
    return 2;
  }
  for (const int guests : arguments->numbers("guests", "1000,10000"))
    for (const auto format : {doors::http::Format::prometheus, doors::http::Format::openmetrics})
      bench::measure(guests, format);
}
