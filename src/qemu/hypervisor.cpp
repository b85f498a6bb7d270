// Which emulator, what it can do, and the calls about guests that exist already. Starting is in hypervisor_launch.cpp.
#include "qemu/hypervisor.hpp"

#include <sys/utsname.h>

#include "base/log.hpp"
#include "qemu/adopt.hpp"
#include "qemu/argv.hpp"
#include "qemu/capabilities_xml.hpp"
#include "qemu/settle.hpp"

namespace vireo::qemu {

namespace {

// How soon a replaced emulator is noticed.
constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr auto kProbePatience = std::chrono::seconds(30);
constexpr const char* kHostArch = "x86_64";

}  // namespace

std::string pid_file_in(const std::string& runtime_dir) { return runtime_dir + "/qemu.pid"; }
std::string home_in(const std::string& runtime_dir) { return runtime_dir + "/qemu"; }
std::string console_log_in(const std::string& runtime_dir) { return runtime_dir + "/console.log"; }
std::string packet_log_in(const std::string& runtime_dir) { return runtime_dir + "/packet.log"; }
std::string cgroup_name_of(const std::string& runtime_dir) {
  return "guest-" + runtime_dir.substr(runtime_dir.rfind('/') + 1);
}

CleanUp QemuHypervisor::clean_up_of(const std::string& runtime_dir) const {
  if (!options_.cgroups) return {};
  return [cgroups = options_.cgroups, guest = cgroup_name_of(runtime_dir)] {
    if (auto removed = cgroups->remove(guest); !removed) log::warn("{}", removed.error().message());
  };
}

QemuHypervisor::QemuHypervisor(asio::any_io_executor core, Workers& spawn, Workers& probe, const ports::HostFacts& host,
                               QemuOptions options)
    : spawn_(spawn),
      host_(host),
      options_(std::move(options)),
      cache_(std::make_shared<CapabilitiesCache>(std::move(core), spawn, probe, options_.cache_dir, options_.exec,
                                                 kLookEvery)) {}

std::string QemuHypervisor::default_emulator(const std::string& arch) const {
  // QEMU calls by its first member the family that libvirt calls by its last.
  return options_.emulator_folder + "/qemu-system-" + (arch == "i686" ? "i386" : arch);
}

std::string QemuHypervisor::about(const Capabilities& capabilities) const {
  utsname kernel{};
  ::uname(&kernel);
  return fmt::format("vireo version: {}, qemu version: {}.{}.{}{}, kernel: {}, hostname: {}", VIREO_VERSION,
                     capabilities.version_major, capabilities.version_minor, capabilities.version_micro,
                     capabilities.package, kernel.release, host_.hostname());
}

asio::awaitable<Result<CapabilitiesPtr>> QemuHypervisor::capabilities_for(std::string emulator, std::string arch,
                                                                          Deadline deadline) {
  const bool chosen_by_user = !emulator.empty();
  if (arch.empty()) arch = kHostArch;
  if (!chosen_by_user) emulator = default_emulator(arch);
  auto caps = co_await cache_->get(emulator, deadline);
  if (!caps) {
    const bool missing = caps.error().code == VIR_ERR_SYSTEM_ERROR;
    if (missing && !chosen_by_user)
      co_return fail(VIR_ERR_CONFIG_UNSUPPORTED, "No emulator found for arch '" + arch + "'");
    co_return pass_on(caps);
  }
  if ((*caps)->arch != arch)
    co_return fail(VIR_ERR_CONFIG_UNSUPPORTED, "Emulator '" + emulator + "' does not support arch '" + arch + "'");
  co_return std::move(*caps);
}

asio::awaitable<Result<unsigned long>> QemuHypervisor::version() {
  auto caps = co_await cache_->get(default_emulator(kHostArch), Deadline::in(kProbePatience));
  if (!caps) co_return pass_on(caps);
  co_return (*caps)->version_number();
}

asio::awaitable<Result<std::string>> QemuHypervisor::capabilities_xml() {
  std::vector<CapabilitiesPtr> found;
  for (const auto* arch : {"i686", kHostArch}) {
    auto caps = co_await cache_->get(default_emulator(arch), Deadline::in(kProbePatience));
    // A host without an emulator still has capabilities: those of the host.
    if (caps) found.push_back(std::move(*caps));
  }
  co_return qemu::capabilities_xml(host_.capabilities_host_xml(), options_.security_models, found);
}

asio::awaitable<Result<ports::Launched>> QemuHypervisor::adopt(ports::AdoptSpec spec, ports::GuestEventSink sink) {
  AdoptPlan plan;
  plan.process = spec.process;
  plan.boot_id = host_.boot_id();
  plan.monitor_path = spec.monitor_path;
  plan.log_path = spec.log_path;
  plan.clean_up = clean_up_of(spec.runtime_dir);
  auto state = co_await adopt_process(spawn_, std::move(plan), spec.deadline);
  if (!state) co_return pass_on(state);
  ports::Launched launched;
  launched.guest = std::make_unique<QemuGuest>(*state, balloon_path(*spec.live));
  auto live = std::make_shared<model::DomainDef>(*spec.live);
  co_await refresh(live, *state, spec.deadline);
  launched.live = std::move(spec.live);
  if (*live != *launched.live) launched.live = std::move(live);
  watch_for_signs(**state, *launched.live, spec.runtime_dir, false);
  (*state)->keep_connected(std::move(spec.monitor_path));
  (*state)->deliver_to(std::move(sink));
  co_return launched;
}

void QemuHypervisor::watch_for_signs(GuestState& guest, const model::DomainDef& live, const std::string& runtime_dir,
                                     bool fresh) {
  if (!live.up.console.empty())
    guest.watch_for(up_watch_, model::UpSign::console,
                    {.path = console_log_in(runtime_dir), .text = live.up.console, .fresh = fresh});
  if (live.up.network)
    guest.watch_for(up_watch_, model::UpSign::network,
                    {.path = packet_log_in(runtime_dir), .from = kPacketLogHeader, .fresh = fresh});
}

asio::awaitable<Result<void>> QemuHypervisor::sweep(std::string monitor_path,
                                                    std::optional<ports::ProcessIdentity> process, Deadline deadline) {
  const auto runtime_dir = monitor_path.substr(0, monitor_path.rfind('/'));
  SweepPlan plan;
  plan.monitor_path = std::move(monitor_path);
  plan.pid_file = pid_file_in(runtime_dir);
  plan.home = home_in(runtime_dir);
  if (process && process->boot_id == host_.boot_id()) plan.process = std::move(process);
  plan.clean_up = clean_up_of(runtime_dir);
  return sweep_process(spawn_, std::move(plan), deadline);
}

}  // namespace vireo::qemu
