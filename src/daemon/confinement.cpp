// From the settings and from who the daemon is.
#include "daemon/confinement.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "base/log.hpp"
#include "host/cgroups.hpp"
#include "security/apparmor.hpp"
#include "security/dac.hpp"
#include "security/stack.hpp"

namespace vireo::daemon {

namespace {

Result<Credentials> qemu_user(const Config& config) {
  auto who = credentials_of(config.qemu_user, config.qemu_group);
  if (who) return who;
  auto error = std::move(who.error());
  error.detail = fmt::format(
      "qemu_user = \"{}\", qemu_group = \"{}\": {}; make it (useradd --system --user-group --no-create-home --shell "
      "/usr/sbin/nologin {}), or set qemu_user = \"root\" to let QEMU run as root",
      config.qemu_user, config.qemu_group, error.detail, config.qemu_user);
  return std::unexpected(std::move(error));
}

int own_oom_score() {
  std::ifstream file("/proc/self/oom_score_adj");
  int score = 0;
  file >> score;
  return score;
}

// Two daemons on one host never share a parent: each has a run folder of its own. (FNV-1a: the same in every build.)
std::string own_parent(const std::string& run_dir) {
  if (run_dir == Paths{}.run_dir) return "vireo";
  std::uint64_t hash = 14'695'981'039'346'656'037ULL;
  for (const char c : run_dir) hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211ULL;
  return fmt::format("vireo-{:012x}", hash >> 16);
}

std::shared_ptr<ports::GuestCgroups> cgroups_for(const Paths& paths, const Config& config) {
  std::ifstream file("/proc/self/mounts");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  auto cgroups = std::make_shared<host::HostCgroups>(
      host::without_empty_ones(host::cgroup_mounts_in(text)),
      config.cgroup_parent.empty() ? own_parent(paths.run_dir) : config.cgroup_parent);
  cgroups->sweep();
  return cgroups;
}

// The models that the settings name, or those that "auto" finds. Error: VIR_ERR_CONF_SYNTAX naming the one that this
// host does not have.
Result<std::vector<std::string>> models_in_force(const std::vector<std::string>& wanted, const HostSecurity& host) {
  if (wanted.front() == "none") return std::vector<std::string>{};
  if (wanted.front() != "auto") {
    for (const auto& model : wanted)
      if (const auto lacks = host.lacks(model); !lacks.empty())
        return fail(VIR_ERR_CONF_SYNTAX, fmt::format("security_drivers: {} cannot be in force: {}", model, lacks));
    return wanted;
  }
  std::vector<std::string> found;
  for (const char* model : {"dac", "apparmor", "selinux"})
    if (host.lacks(model).empty()) found.emplace_back(model);
  return found;
}

}  // namespace

std::string HostSecurity::lacks(std::string_view model) const {
  if (!root) return "the daemon is not root";
  if (model == "apparmor" && !apparmor)
    return "this kernel has no AppArmor (/sys/module/apparmor/parameters/enabled is not Y)";
  if (model == "selinux" && !selinux) return "this kernel has no SELinux (/sys/fs/selinux is not mounted)";
  return {};
}

HostSecurity HostSecurity::of_this_host() {
  HostSecurity host{.root = ::geteuid() == 0};
  std::ifstream file("/sys/module/apparmor/parameters/enabled");
  host.apparmor = file.get() == 'Y';
  host.selinux = ::access("/sys/fs/selinux/enforce", F_OK) == 0;
  return host;
}

Result<Confinement> confine(const Paths& paths, const Config& config) {
  Confinement made{.qemu = {.cache_dir = paths.cache_dir(), .emulator_folder = config.emulator_dir}};
  if (!config.exec_helper.empty()) made.qemu.exec.helper = config.exec_helper;
  const auto& helper = made.qemu.exec.helper;
  if (::access(helper.c_str(), X_OK) != 0)
    log::error("no guest can start: '{}' (exec_helper) cannot be executed: {}", helper, std::strerror(errno));
  constexpr std::uint64_t kMib = 1024 * 1024;
  made.qemu.core_bytes = static_cast<std::uint64_t>(config.guest_core_mib) * kMib;
  auto models = models_in_force(config.security_drivers, HostSecurity::of_this_host());
  if (!models) return pass_on(models);
  made.models = std::move(*models);
  if (std::ranges::find(made.models, "selinux") != made.models.end()) {
    auto contexts = security::SelinuxContexts::of_this_host();
    if (!contexts) return pass_on(contexts);
    made.selinux = std::move(*contexts);
  }
  if (::geteuid() != 0) {
    log::warn(
        "not running as root: QEMU runs as the daemon's own user and in its control group; owners of images, "
        "out-of-memory scores and priorities stay as they are");
    return made;
  }
  auto user = qemu_user(config);
  if (!user) return pass_on(user);
  made.qemu.exec.user = std::move(*user);
  // What is so already needs no privilege to be set, which a container's root may lack.
  if (config.guest_oom_score != own_oom_score()) made.qemu.oom_score = config.guest_oom_score;
  if (config.guest_nice != ::getpriority(PRIO_PROCESS, 0)) made.qemu.nice = config.guest_nice;
  if (config.cgroup == "auto") made.qemu.cgroups = cgroups_for(paths, config);
  return made;
}

namespace {

bool selinux_enforces() {
  std::ifstream file("/sys/fs/selinux/enforce");
  return file.get() == '1';
}

unsigned roll(unsigned below) {
  static std::random_device device;  // core thread only
  return std::uniform_int_distribution<unsigned>(0, below - 1)(device);
}

}  // namespace

std::unique_ptr<ports::Labeler> make_labeler(const Confinement& confinement, const Paths& paths, Workers& workers,
                                             const std::string& boot_id) {
  std::vector<std::unique_ptr<security::Driver>> drivers;
  for (const auto& model : confinement.models) {
    if (model == "dac")
      drivers.push_back(std::make_unique<security::DacDriver>(confinement.qemu.exec.user.value(), boot_id));
    if (model == "apparmor")
      drivers.push_back(std::make_unique<security::AppArmorDriver>(
          security::AppArmorPlaces{.profile_dir = paths.run_dir + "/apparmor",
                                   .runtime_dir = paths.guest_runtime_dir(),
                                   .log_dir = paths.guest_log_dir()}));
    if (model == "selinux")
      drivers.push_back(
          std::make_unique<security::SelinuxDriver>(confinement.selinux.value(), &roll, boot_id, selinux_enforces()));
  }
  return std::make_unique<security::Stack>(workers, std::move(drivers), confinement.qemu.exec.user);
}

}  // namespace vireo::daemon
