// Reading one process. Which thread runs which vCPU and which descriptor is which image is found once and looked up
// again only when it is no longer so; a process's control group stays the same.
#include "host/proc_meters.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>

#include "base/counted_mutex.hpp"
#include "host/pressure.hpp"
#include "host/proc_folder.hpp"
#include "host/proc_text.hpp"
#include "host/thread_watch.hpp"

namespace vireo::host {
namespace {

// What is found once. Immutable; replaced as a whole.
struct Places {
  std::vector<pid_t> vcpu_threads;  // by index; 0: not found
  std::map<std::string, int> descriptors;
};

class ProcMeter final : public ports::GuestMeter {
 public:
  ProcMeter(pid_t pid, model::DomainDefPtr live)
      : pid_(pid), folder_("/proc/" + std::to_string(pid)), threads_(folder_, pid) {
    vcpus_ = live->vcpus_max;
    for (const auto& nic : live->devices.interfaces)
      if (nic.has_host_device() && nic.target.find('/') == std::string::npos) targets_.push_back(nic.target);
  }

  model::HostFigures read(const std::vector<std::string>& files, ports::Look look) override {
    model::HostFigures out;
    if (pid_ <= 0) return out;
    read_process(out);
    if (look == ports::Look::close || !read_vcpus(out)) look_closely(out);
    for (const auto& target : targets_) read_net(target, out);
    read_files(files, out);
    return out;
  }

 private:
  void read_process(model::HostFigures& out) const {
    clockid_t clock = 0;
    timespec time{};
    if (::clock_getcpuclockid(pid_, &clock) == 0 && ::clock_gettime(clock, &time) == 0)
      out.cpu_ns = static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
    const auto stat = parse_stat(read_small(folder_ + "/stat"));
    if (!stat) return;
    static const auto ns_per_tick = 1'000'000'000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    static const auto kib_per_page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
    out.user_ns = stat->user_ticks * ns_per_tick;
    out.system_ns = stat->system_ticks * ns_per_tick;
    out.rss_kib = stat->resident_pages * kib_per_page;
    out.stopped = stat->stopped();
  }

  // By the threads as they are known; false: they are not, or no longer.
  bool read_vcpus(model::HostFigures& out) const {
    const auto places = this->places();
    if (places->vcpu_threads.size() != vcpus_) return false;
    const bool waits = counts_waits();
    for (const auto tid : places->vcpu_threads) {
      out.vcpus.push_back(read_vcpu(tid, waits));
      if (tid != 0 && !out.vcpus.back()) return false;
    }
    return true;
  }

  void look_closely(model::HostFigures& out) {
    auto seen = threads_.look(SteadyClock::now());
    auto places = this->places();
    if (auto found = vcpus_among(seen.threads); found != places->vcpu_threads) {
      auto next = *places;
      next.vcpu_threads = std::move(found);
      places = keep(std::move(next));
    }
    out.stuck = std::move(seen.stuck);
    out.vcpus.clear();
    const bool waits = counts_waits();
    for (const auto tid : places->vcpu_threads) {
      auto& vcpu = out.vcpus.emplace_back(read_vcpu(tid, waits));
      if (vcpu) vcpu->processor = seen.threads[tid].processor;
    }
    std::call_once(group_found_, [this] { group_ = group_folder(pid_); });
    read_pressure(group_, out);
  }

  // Whether the kernel counts what a thread waits for, which takes a look at a longer file. A setting of the host.
  static bool counts_waits() {
    static std::atomic<SteadyClock::rep> looked_at{0};
    static std::atomic<bool> counts{false};
    const auto now = SteadyClock::now().time_since_epoch().count();
    if (now - looked_at.load() > SteadyClock::duration(std::chrono::seconds(1)).count()) {
      counts = first_number(read_small("/proc/sys/kernel/sched_schedstats")) == 1;
      looked_at = now;
    }
    return counts;
  }

  std::optional<model::VcpuTimes> read_vcpu(pid_t tid, bool waits) const {
    if (tid == 0) return std::nullopt;
    const auto folder = folder_ + "/task/" + std::to_string(tid);
    const auto times = parse_schedstat(read_small(folder + "/schedstat"));
    if (!times) return std::nullopt;
    model::VcpuTimes out{.run_ns = times->run_ns, .delay_ns = times->delay_ns};
    if (waits) out.wait_ns = parse_wait_sum(read_small(folder + "/sched")).value_or(0);
    return out;
  }

  // QEMU names its threads (-name debug-threads=on): "CPU 0/KVM", "CPU 1/TCG".
  std::vector<pid_t> vcpus_among(const std::map<pid_t, ProcStat>& threads) const {
    std::vector<pid_t> out(vcpus_, 0);
    for (const auto& [tid, stat] : threads)
      if (const auto index = vcpu_of_thread(stat.name); index && *index < vcpus_) out[*index] = tid;
    return out;
  }

  void read_net(const std::string& target, model::HostFigures& out) const {
    const auto folder = "/sys/class/net/" + target + "/statistics/";
    const auto number = [&folder](const char* name) { return first_number(read_small(folder + name)); };
    const auto received = number("rx_bytes");
    if (!received) return;
    // What the host sends to the device is what the guest receives.
    model::NetCounts counts{.target = target, .tx_bytes = *received};
    counts.tx_packets = number("rx_packets").value_or(0);
    counts.tx_errors = number("rx_errors").value_or(0);
    counts.tx_drops = number("rx_dropped").value_or(0);
    counts.rx_bytes = number("tx_bytes").value_or(0);
    counts.rx_packets = number("tx_packets").value_or(0);
    counts.rx_errors = number("tx_errors").value_or(0);
    counts.rx_drops = number("tx_dropped").value_or(0);
    out.nets.push_back(std::move(counts));
  }

  void read_files(const std::vector<std::string>& files, model::HostFigures& out) {
    auto places = this->places();
    bool looked = false;
    for (const auto& file : files) {
      auto found = places->descriptors.find(file);
      if (found == places->descriptors.end() || target_of(link(found->second)) != file) {
        if (looked) continue;
        looked = true;
        places = find_descriptors();
        found = places->descriptors.find(file);
        if (found == places->descriptors.end()) continue;
      }
      struct statx about{};
      // Asked for nothing in particular, the kernel tells what it knows; for a field by name it would ask a FUSE
      // server.
      if (::statx(AT_FDCWD, link(found->second).c_str(), AT_STATX_DONT_SYNC, 0, &about) != 0) continue;
      constexpr std::uint64_t bytes_per_block = 512;  // statx(2): stx_blocks
      out.files.push_back(
          {.path = file, .length_bytes = about.stx_size, .allocated_bytes = about.stx_blocks * bytes_per_block});
    }
  }

  std::shared_ptr<const Places> find_descriptors() {
    auto next = *places();
    next.descriptors.clear();
    for (const int number : numbers_in(folder_ + "/fd")) {
      auto target = target_of(link(number));
      if (target.starts_with('/') && !target.starts_with("/dev/")) next.descriptors.emplace(std::move(target), number);
    }
    return keep(std::move(next));
  }
  std::string link(int descriptor) const { return folder_ + "/fd/" + std::to_string(descriptor); }

  std::shared_ptr<const Places> places() const {
    const CountedMutex::Hold hold(mutex_);
    return places_;
  }
  std::shared_ptr<const Places> keep(Places next) {
    auto shared = std::make_shared<const Places>(std::move(next));
    const CountedMutex::Hold hold(mutex_);
    places_ = shared;
    return shared;
  }

  const pid_t pid_;
  const std::string folder_;
  ThreadWatch threads_;
  std::once_flag group_found_;
  std::string group_;
  unsigned vcpus_ = 0;
  std::vector<std::string> targets_;
  mutable CountedMutex mutex_{"where a process's threads and files are"};
  std::shared_ptr<const Places> places_ = std::make_shared<const Places>();
};

}  // namespace

std::shared_ptr<ports::GuestMeter> ProcMeters::open(pid_t pid, model::DomainDefPtr live) const {
  return std::make_shared<ProcMeter>(pid, std::move(live));
}

}  // namespace vireo::host
