// The groups, one function each, in the order in which libvirt lists them.
#include "core/stats/record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace vireo::core {
namespace {

class Writer {
 public:
  Writer(const model::DomainView& guest, const model::GuestSample* sample, const RecordOptions& options,
         const SizesOfDisks& at_rest)
      : guest_(guest), live_(guest.current()), options_(options), at_rest_(at_rest) {
    if (sample && guest.active() && sample->id == guest.id) sample_ = sample;
  }

  std::vector<Param> write() {
    const auto in = [this](unsigned group) { return (options_.groups & group) != 0; };
    params_.reserve(64);
    if (in(VIR_DOMAIN_STATS_STATE)) state();
    if (in(VIR_DOMAIN_STATS_CPU_TOTAL) && guest_.active()) cpu();
    if (in(VIR_DOMAIN_STATS_BALLOON)) balloon();
    if (in(VIR_DOMAIN_STATS_VCPU)) vcpus();
    if (in(VIR_DOMAIN_STATS_INTERFACE) && guest_.active()) interfaces();
    if (in(VIR_DOMAIN_STATS_BLOCK)) block();
    if (in(VIR_DOMAIN_STATS_DIRTYRATE) && guest_.active()) dirty_rate();
    if (in(VIR_DOMAIN_STATS_VM) && guest_.active()) machine();
    own();
    return params_.finish();
  }

 private:
  template <class T>
  void put(std::string name, T value) {
    params_.put(std::move(name), std::move(value));
  }
  template <class T>
  void number(std::string name, const T& value) {
    params_.number(std::move(name), value);
  }

  // A part of the sample, if it is there; counts towards the record's age.
  template <class T>
  const T* take(const model::Timed<T> model::GuestSample::* part) {
    const auto* timed = sample_ ? &(sample_->*part) : nullptr;
    if (!timed || !*timed) {
      stale_ = true;
      return nullptr;
    }
    oldest_ = std::min(oldest_.value_or(timed->at), timed->at);
    return timed->value.get();
  }
  const model::HostFigures* host() { return take(&model::GuestSample::host); }
  // What is learnt once and stays true has no age.
  template <class T>
  const T* known(const model::Timed<T> model::GuestSample::* part) const {
    return sample_ ? (sample_->*part).value.get() : nullptr;
  }

  void state() {
    put("state.state", std::int32_t{guest_.state});
    put("state.reason", std::int32_t{guest_.reason});
  }

  void cpu() {
    if (const auto* h = host()) {
      number("cpu.time", h->cpu_ns);
      number("cpu.user", h->user_ns);
      number("cpu.system", h->system_ns);
    }
    put("cpu.cache.monitor.count", std::uint32_t{0});
    std::uint64_t success = 0, fails = 0;
    if (live_.type == model::VirtType::kvm) {
      const auto* kvm = take(&model::GuestSample::kvm);
      if (!kvm) return;
      for (const auto& vcpu : kvm->vcpus)
        for (const auto& count : vcpu)
          if (const auto* n = std::get_if<std::uint64_t>(&count.value)) {
            if (count.name == "halt_poll_success_ns") success += *n;
            if (count.name == "halt_poll_fail_ns") fails += *n;
          }
    }
    number("cpu.haltpoll.success.time", success);
    number("cpu.haltpoll.fail.time", fails);
  }

  void balloon() {
    number("balloon.current", live_.current_memory_kib);
    number("balloon.maximum", live_.memory_kib);
    if (!guest_.active()) return;
    constexpr auto kib = [](const std::optional<std::uint64_t>& bytes) {
      return bytes ? std::optional(*bytes / 1024) : std::nullopt;
    };
    const auto& device = live_.devices.memballoon;
    if (device && device->model != model::BalloonModel::none) {
      // A driver that is not told to report never has.
      static const model::BalloonReport nothing;
      const auto* report = device->stats_period_s.value_or(0) > 0 ? take(&model::GuestSample::balloon)
                                                                  : known(&model::GuestSample::balloon);
      if (!report && device->stats_period_s.value_or(0) == 0) report = &nothing;
      if (report) {
        number("balloon.swap_in", kib(report->swap_in_bytes));
        number("balloon.swap_out", kib(report->swap_out_bytes));
        number("balloon.major_fault", report->major_faults);
        number("balloon.minor_fault", report->minor_faults);
        number("balloon.unused", kib(report->free_bytes));
        number("balloon.available", kib(report->total_bytes));
        number("balloon.usable", kib(report->available_bytes));
        number("balloon.last-update", static_cast<std::uint64_t>(std::max<std::int64_t>(report->last_update_s, 0)));
        number("balloon.disk_caches", kib(report->disk_caches_bytes));
        number("balloon.hugetlb_pgalloc", report->hugetlb_allocations);
        number("balloon.hugetlb_pgfail", report->hugetlb_failures);
      }
    }
    if (const auto* h = host()) number("balloon.rss", h->rss_kib);
  }

  void kvm_counts(std::string_view prefix, const std::vector<model::KvmCount>& counts) {
    for (const auto& count : counts)
      std::visit([&](auto value) { put(fmt::format("{}.{}.{}", prefix, count.name, count.suffix), value); },
                 count.value);
  }

  void vcpus() {
    put("vcpu.current", std::uint32_t{live_.vcpus()});
    put("vcpu.maximum", std::uint32_t{live_.vcpus_max});
    if (!guest_.active()) return;
    const auto* h = host();
    const auto* kvm = live_.type == model::VirtType::kvm ? take(&model::GuestSample::kvm) : nullptr;
    for (unsigned i = 0; i < live_.vcpus(); ++i) {
      put(fmt::format("vcpu.{}.state", i), std::int32_t{VIR_VCPU_RUNNING});
      if (h && i < h->vcpus.size() && h->vcpus[i]) {
        number(fmt::format("vcpu.{}.time", i), h->vcpus[i]->run_ns);
        number(fmt::format("vcpu.{}.wait", i), h->vcpus[i]->wait_ns);
        number(fmt::format("vcpu.{}.delay", i), h->vcpus[i]->delay_ns);
      }
      if (kvm && i < kvm->vcpus.size()) kvm_counts(fmt::format("vcpu.{}", i), kvm->vcpus[i]);
    }
  }

  void interfaces() {
    put("net.count", static_cast<std::uint32_t>(live_.devices.interfaces.size()));
    if (live_.devices.interfaces.empty()) return;
    const auto* h = host();
    if (!h) return;
    for (std::size_t i = 0; i < live_.devices.interfaces.size(); ++i) {
      const auto& nic = live_.devices.interfaces[i];
      const auto found = std::ranges::find(h->nets, nic.target, &model::NetCounts::target);
      if (!nic.has_host_device() || found == h->nets.end()) continue;
      const auto at = [i](const char* what) { return fmt::format("net.{}.{}", i, what); };
      put(at("name"), found->target);
      number(at("rx.bytes"), found->rx_bytes);
      number(at("rx.pkts"), found->rx_packets);
      number(at("rx.errs"), found->rx_errors);
      number(at("rx.drop"), found->rx_drops);
      number(at("tx.bytes"), found->tx_bytes);
      number(at("tx.pkts"), found->tx_packets);
      number(at("tx.errs"), found->tx_errors);
      number(at("tx.drop"), found->tx_drops);
    }
  }

  void block() {
    const auto& disks = live_.devices.disks;
    BlockSources from{.disks = disks, .at_rest = at_rest_, .backing = options_.backing};
    if (guest_.active() && !disks.empty()) {
      from.counts = take(&model::GuestSample::block);
      if (!from.counts) return;
      from.facts = known(&model::GuestSample::images);
      from.host = host();
    }
    put_blocks(params_, from);
  }

  void dirty_rate() {
    const auto* rate = known(&model::GuestSample::dirty_rate);
    if (!rate) {
      stale_ = true;
      return;
    }
    put("dirtyrate.calc_status", static_cast<std::int32_t>(rate->status));
    put("dirtyrate.calc_start_time", std::int64_t{rate->start_time_s});
    put("dirtyrate.calc_period", static_cast<std::int32_t>(std::clamp<std::int64_t>(rate->calc_time_s, 0, INT32_MAX)));
    if (!rate->mode.empty()) put("dirtyrate.calc_mode", rate->mode);
    if (rate->status != model::DirtyRate::Status::measured) return;
    if (rate->mib_per_s) put("dirtyrate.megabytes_per_second", std::int64_t{*rate->mib_per_s});
    for (const auto& [index, mib_per_s] : rate->vcpus)
      if (index >= 0) put(fmt::format("dirtyrate.vcpu.{}.megabytes_per_second", index), std::int64_t{mib_per_s});
  }

  void machine() {
    if (live_.type != model::VirtType::kvm) return;
    if (const auto* kvm = take(&model::GuestSample::kvm)) kvm_counts("vm", kvm->vm);
  }

  void own() {
    const auto age = oldest_ ? options_.now - *oldest_ : SteadyClock::duration::zero();
    const auto age_ms = std::chrono::duration_cast<std::chrono::milliseconds>(age).count();
    number("vireo.age_ms", static_cast<std::uint64_t>(std::max<std::int64_t>(age_ms, 0)));
    put("vireo.stale", stale_ || (oldest_ && *oldest_ < options_.fresh_since));
  }

  const model::DomainView& guest_;
  const model::DomainDef& live_;
  const RecordOptions& options_;
  const SizesOfDisks& at_rest_;
  const model::GuestSample* sample_ = nullptr;
  Params params_;
  std::optional<SteadyClock::time_point> oldest_;
  bool stale_ = false;  // something is missing
};

}  // namespace

std::vector<Param> record_of(const model::DomainView& guest, const model::GuestSample* sample,
                             const RecordOptions& options, const SizesOfDisks& at_rest) {
  return Writer(guest, sample, options, at_rest).write();
}

}  // namespace vireo::core
