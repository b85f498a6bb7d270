// The command line's frame; the parts are in the files beside it.
#include "qemu/argv.hpp"

namespace vireo::qemu {

std::string escape_commas(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == ',') out += ',';
  }
  return out;
}

std::vector<std::string> build_argv(const model::DomainDef& live, const LaunchPaths& paths) {
  std::vector<std::string> argv;
  const auto add = [&](auto... words) { (argv.emplace_back(words), ...); };
  add(live.devices.emulator);
  add("-name", fmt::format("guest={},debug-threads=on", escape_commas(live.name)), "-S");
  add_machine(argv, live);
  add("-uuid", live.uuid.text(), "-display", "none", "-no-user-config", "-nodefaults");
  add("-chardev", fmt::format("socket,id=charmonitor,fd={},server=on,wait=off", paths.monitor_fd));
  add("-mon", "chardev=charmonitor,id=monitor,mode=control");
  add_boot_and_time(argv, live);
  add_controllers(argv, live);
  add_disks(argv, live);
  add_devices(argv, live, paths);
  if (paths.sandbox) add("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
  add("-msg", "timestamp=on");
  return argv;
}

}  // namespace vireo::qemu
