// Finding the group, and reading its three files.
#include "host/pressure.hpp"

#include <fstream>
#include <sstream>

#include "host/cgroups.hpp"
#include "host/proc_text.hpp"

namespace vireo::host {
namespace {

// Mounts do not change while a daemon runs, as far as this is concerned.
std::string find_unified_mount(const std::string& root) {
  std::ostringstream mounts;
  mounts << std::ifstream(root + "/proc/self/mounts").rdbuf();
  for (const auto& mount : cgroup_mounts_in(mounts.str()))
    if (mount.unified) return mount.folder;
  return {};
}

const std::string& unified_mount() {
  static const auto found = find_unified_mount({});
  return found;
}

}  // namespace

std::string group_folder(pid_t pid, const std::string& root) {
  const auto mount = root.empty() ? unified_mount() : find_unified_mount(root);
  const auto group = unified_group(read_small(root + "/proc/" + std::to_string(pid) + "/cgroup"));
  if (mount.empty() || group.empty() || group == "/" || group == unified_group(read_small(root + "/proc/self/cgroup")))
    return {};
  return root + mount + group;
}

void read_pressure(const std::string& group_folder, model::HostFigures& out) {
  if (group_folder.empty()) return;
  out.cpu_stall_us = stall_us(read_small(group_folder + "/cpu.pressure"));
  out.memory_stall_us = stall_us(read_small(group_folder + "/memory.pressure"));
  out.io_stall_us = stall_us(read_small(group_folder + "/io.pressure"));
}

}  // namespace vireo::host
