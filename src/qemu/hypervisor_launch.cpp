// From a definition to a running guest: complete it, name its devices, start QEMU with what that makes of its command
// line, and settle with it what the command line cannot say.
#include <sys/resource.h>

#include "qemu/aliases.hpp"
#include "qemu/argv.hpp"
#include "qemu/complete.hpp"
#include "qemu/graphics.hpp"
#include "qemu/hypervisor.hpp"
#include "qemu/launch.hpp"
#include "qemu/settle.hpp"
#include "qmp/commands.hpp"

namespace vireo::qemu {

namespace {

constexpr auto kProbePatience = std::chrono::seconds(30);

// What a program expects to find, and a home of its own.
std::vector<std::string> environment_in(const std::string& home) {
  return {"LC_ALL=C",
          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          "HOME=" + home,
          "XDG_DATA_HOME=" + home + "/.local/share",
          "XDG_CACHE_HOME=" + home + "/.cache",
          "XDG_CONFIG_HOME=" + home + "/.config"};
}

struct VcpuLimits {
  std::shared_ptr<ports::GuestCgroups> cgroups;
  std::string guest;  // its groups' name
  model::CpuTune tune;
};

asio::awaitable<Result<void>> limit_vcpus(GuestStatePtr guest, VcpuLimits limits, Deadline deadline) {
  auto threads = co_await qmp::query_vcpu_threads(guest->monitor(), deadline);
  if (!threads) co_return pass_on(threads);
  std::move_only_function<Result<bool>()> work = [limits, threads = std::move(*threads)]() -> Result<bool> {
    if (auto done = limits.cgroups->limit_vcpus(limits.guest, threads, limits.tune); !done) return pass_on(done);
    return true;
  };
  auto done = co_await guest->workers().run<bool>(std::move(work), deadline);
  if (!done) co_return pass_on(done);
  co_return Result<void>();
}

asio::awaitable<Result<void>> finish_launch(LiveDef live, GuestStatePtr guest, VcpuLimits limits, Deadline deadline) {
  auto settled = co_await settle(live, guest, deadline);
  if (settled && (live->cputune.period_us || live->cputune.quota_us))
    settled = co_await limit_vcpus(guest, std::move(limits), deadline);
  co_return settled;
}

// Without control groups no limit can be kept, and none is silently dropped.
Result<void> check_limits(const model::DomainDef& definition, bool have_cgroups) {
  if (have_cgroups) return {};
  if (definition.memtune != model::MemoryTune{})
    return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                "<memtune> needs control groups: vireod must be root, with cgroup = \"auto\"");
  if (definition.cputune != model::CpuTune{})
    return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                "<cputune> needs control groups: vireod must be root, with cgroup = \"auto\"");
  return {};
}

// A sign that cannot come is not waited for.
Result<void> check_signs(const model::DomainDef& live) {
  if (!live.up.console.empty() && watched_console(live).empty())
    return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                "the metadata of domain '" + live.name +
                    "' name what its console prints once it is up, and it has none; add a <serial>");
  if (live.up.network && live.devices.interfaces.empty())
    return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                "the metadata of domain '" + live.name +
                    "' name its first packet as the sign that it is up, and it has no network; add an <interface>");
  return {};
}

// How much memory QEMU may lock: all that it may have, if the guest's shall never be swapped out.
std::optional<std::uint64_t> memlock_of(const model::DomainDef& definition) {
  if (!definition.memory_locked) return std::nullopt;
  const auto& limit_kib = definition.memtune.hard_limit_kib;
  return limit_kib ? *limit_kib * 1024 : RLIM_INFINITY;
}

// What the kernel's security module is to make of the process: AppArmor's profile, SELinux's context.
void confine(LaunchPlan& plan, const model::DomainDef& live) {
  for (const auto* security_model : {"apparmor", "selinux"})
    if (const auto* label = live.seclabel(security_model); label && label->type != model::SecLabelType::none)
      plan.exec_label = {.security_model = security_model, .label = label->label};
}

}  // namespace

asio::awaitable<Result<model::DomainDef>> QemuHypervisor::complete(model::DomainDef definition) {
  auto caps = co_await capabilities_for(definition.devices.emulator, definition.os.arch, Deadline::in(kProbePatience));
  if (!caps) co_return pass_on(caps);
  co_return qemu::complete(std::move(definition), **caps);
}

asio::awaitable<Result<ports::Launched>> QemuHypervisor::launch(ports::LaunchSpec spec, ports::GuestEventSink sink) {
  const auto& definition = *spec.definition;
  if (auto checked = check_graphics(definition); !checked) co_return pass_on(checked);
  if (auto checked = check_limits(definition, options_.cgroups != nullptr); !checked) co_return pass_on(checked);
  auto caps = co_await capabilities_for(definition.devices.emulator, definition.os.arch, spec.deadline);
  if (!caps) co_return pass_on(caps);
  if (auto checked = check_spice(definition, **caps); !checked) co_return pass_on(checked);

  const auto home = home_in(spec.runtime_dir);
  auto live = std::make_shared<model::DomainDef>(assign_aliases(definition, home));
  live->id = spec.id;
  for (auto& graphics : live->devices.graphics)
    for (auto& listen : graphics.listens)
      if (listen.type == model::ListenType::address && listen.address.empty()) listen.address = "127.0.0.1";
  LaunchPaths paths;
  if (auto checked = check_signs(*live); !checked) co_return pass_on(checked);
  if (!live->up.console.empty()) paths.console_log = console_log_in(spec.runtime_dir);
  if (live->up.network) paths.packet_log = packet_log_in(spec.runtime_dir);
  paths.sandbox = options_.sandbox && (*caps)->sandbox;

  LaunchPlan plan;
  plan.monitor_path = spec.monitor_path;
  plan.pid_file = pid_file_in(spec.runtime_dir);
  plan.log_path = spec.log_path;
  plan.about = about(**caps);
  plan.boot_id = host_.boot_id();
  plan.home = home;
  for (const auto& path : {paths.console_log, paths.packet_log})
    if (!path.empty()) plan.outputs.push_back(path);
  plan.environment = environment_in(home);
  plan.exec = options_.exec;
  if (const auto* label = live->seclabel("dac"); label && label->type != model::SecLabelType::none)
    plan.owner = label->label;
  confine(plan, *live);
  plan.oom_score = options_.oom_score;
  plan.nice = options_.nice;
  plan.core_bytes = options_.core_bytes;
  plan.memlock_bytes = memlock_of(*live);
  plan.recorder = spec.recorder;
  // The worker reads a copy: the live definition itself belongs to the core.
  plan.argv = [asked = *live, paths](int monitor_fd, const std::vector<int>& tap_fds) {
    auto with_descriptors = paths;
    with_descriptors.monitor_fd = monitor_fd;
    with_descriptors.tap_fds = tap_fds;
    return build_argv(asked, with_descriptors);
  };
  plan.interfaces = live->devices.interfaces;
  if (options_.cgroups)
    plan.make_cgroups = [cgroups = options_.cgroups, guest = cgroup_name_of(spec.runtime_dir), asked = *live] {
      return cgroups->make(guest, asked);
    };
  plan.remove_cgroups = clean_up_of(spec.runtime_dir);
  const VcpuLimits limits{
      .cgroups = options_.cgroups, .guest = cgroup_name_of(spec.runtime_dir), .tune = live->cputune};
  LaunchFinish finish = [live, limits, names = plan.tap_names](GuestStatePtr guest, Deadline deadline) {
    for (std::size_t i = 0; i < names->size(); ++i)
      if (live->devices.interfaces[i].has_host_device()) live->devices.interfaces[i].target = (*names)[i];
    return finish_launch(live, std::move(guest), limits, deadline);
  };
  auto state = co_await launch_process(spawn_, std::move(plan), std::move(finish), spec.deadline);
  if (!state) co_return pass_on(state);

  ports::Launched launched;
  launched.guest = std::make_unique<QemuGuest>(*state, balloon_path(*live));
  launched.live = std::move(live);
  watch_for_signs(**state, *launched.live, spec.runtime_dir, true);
  (*state)->keep_connected(std::move(spec.monitor_path));
  (*state)->deliver_to(std::move(sink));
  co_return launched;
}

}  // namespace vireo::qemu
