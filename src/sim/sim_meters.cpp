// A guest of its own pace: a tenth to a third of each of its vCPUs.
#include "sim/sim_meters.hpp"

namespace vireo::sim {
namespace {

class SimMeter final : public ports::GuestMeter {
 public:
  explicit SimMeter(model::DomainDefPtr live) : live_(std::move(live)) {}

  model::HostFigures read(const std::vector<std::string>&, ports::Look) override {
    const auto age = static_cast<std::uint64_t>((SteadyClock::now() - born_).count());
    const unsigned pace = 3 + live_->uuid.bytes[0] % 8;
    model::HostFigures out;
    for (unsigned i = 0; i < live_->vcpus(); ++i)
      out.vcpus.push_back(model::VcpuTimes{.run_ns = age / pace, .processor = static_cast<int>(i)});
    out.cpu_ns = age / pace * live_->vcpus();
    out.user_ns = out.cpu_ns / 4 * 3;
    out.system_ns = out.cpu_ns - out.user_ns;
    out.rss_kib = live_->current_memory_kib;
    for (const auto& nic : live_->devices.interfaces)
      if (nic.has_host_device())
        out.nets.push_back({.target = nic.target,
                            .rx_bytes = age / 1000 / pace,
                            .rx_packets = age / 1'000'000 / pace,
                            .tx_bytes = age / 2000 / pace,
                            .tx_packets = age / 2'000'000 / pace});
    return out;
  }

 private:
  const model::DomainDefPtr live_;
  const SteadyClock::time_point born_ = SteadyClock::now();
};

}  // namespace

std::shared_ptr<ports::GuestMeter> SimMeters::open(pid_t, model::DomainDefPtr live) const {
  return std::make_shared<SimMeter>(std::move(live));
}

}  // namespace vireo::sim
