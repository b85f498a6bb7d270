// QEMU's command line for a live definition (complete.hpp, aliases.hpp). Pure: the same definition and paths always
// give the same words. QEMU starts with its vCPUs stopped and no default devices.
#pragma once

#include <string>
#include <vector>

#include "model/definition.hpp"
#include "qemu/aliases.hpp"

namespace vireo::qemu {

// What only the process's surroundings know.
struct LaunchPaths {
  int monitor_fd = -1;  // a listening unix socket that QEMU inherits under this number
  // For each interface the descriptor of its TAP device, which QEMU inherits; -1 for one that has none.
  std::vector<int> tap_fds;
  std::string channel_dir;  // where channels without a path of their own get their sockets
  bool sandbox = true;      // QEMU's seccomp filter
  std::string console_log;  // where what the watched console prints is copied to; empty: nowhere
  std::string packet_log;   // where what the first interface sends is copied to; empty: nowhere
};

// The first word is the emulator's path. VNC without a port yet (-1) leaves the choice
// to QEMU.
std::vector<std::string> build_argv(const model::DomainDef& live, const LaunchPaths& paths);

// The console whose output says that the guest is up: the first serial port, else the first virtio console; its alias.
// Empty: it has none.
std::string watched_console(const model::DomainDef& live);

// The object that copies packets, until there was one; and what its file begins with.
inline constexpr std::string_view kPacketFilter = "firstpacket";
inline constexpr std::uint64_t kPacketLogHeader = 24;

// A word of QEMU's comma-separated options: its commas are doubled.
std::string escape_commas(std::string_view text);

// Parts of build_argv, each appending its words. (argv_machine.cpp, argv_disks.cpp, argv_devices.cpp,
// argv_graphics.cpp)
void add_machine(std::vector<std::string>& argv, const model::DomainDef& live);
void add_boot_and_time(std::vector<std::string>& argv, const model::DomainDef& live);
void add_controllers(std::vector<std::string>& argv, const model::DomainDef& live);
void add_disks(std::vector<std::string>& argv, const model::DomainDef& live);
void add_devices(std::vector<std::string>& argv, const model::DomainDef& live, const LaunchPaths& paths);
void add_graphics(std::vector<std::string>& argv, const model::DomainDef& live);

}  // namespace vireo::qemu
