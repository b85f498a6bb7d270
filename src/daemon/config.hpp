// The daemon's configuration: vireod.toml. One list (describe() in config.cpp) names every option with its meaning; it
// reads the file, writes the defaults, and finds what is misspelt. Immutable once read.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"

namespace vireo::daemon {

struct Config {
  std::string libvirt_socket_dir;
  std::string libvirt_socket_group;
  std::string metrics_listen;
  bool xenstore = true;
  std::string tree_journal = "behind";
  std::string emulator_dir = "/usr/bin";
  std::string qemu_user = "vireo-qemu";
  std::string qemu_group;
  std::vector<std::string> security_drivers = {"auto"};
  std::string cgroup = "auto";
  std::string cgroup_parent;
  std::string exec_helper;
  std::string log_level = "info";
  int door_threads = 2;
  int max_clients = 5'000;
  int max_client_calls = 64;
  int max_client_events = 100'000;
  int max_client_mib = 64;
  int max_clients_mib = 512;
  int client_timeout_ms = 60'000;
  int keepalive_interval_ms = 5'000;
  int keepalive_count = 5;
  int parallel_starts = 0;
  int autostart_parallel = 0;
  int spawn_threads = 4;
  int label_threads = 32;
  int guest_oom_score = 0;
  int guest_nice = 0;
  int guest_core_mib = 0;
  int vnc_first_port = 5900;
  int vnc_last_port = 65535;
  int spice_first_port = 5900;
  int spice_last_port = 65535;
  int lane_timeout_ms = 30'000;
  int launch_timeout_ms = 60'000;
  int monitor_timeout_ms = 30'000;
  int end_timeout_ms = 30'000;
  int shutdown_timeout_ms = 10'000;
  int stats_deadline_ms = 500;
  int sample_period_ms = 5'000;
  bool history = true;
};

// Error: VIR_ERR_CONF_SYNTAX naming file, line and what is wrong: bad TOML, an unknown option, a value of the wrong
// kind or out of its range.
Result<Config> read_config(const std::string& file);
Result<Config> parse_config(std::string_view text, const std::string& name);

// The file that gives these settings, every option with its meaning above it.
std::string print_config(const Config& config);

// What a reload did: the names of the options that changed, and of those that will at the daemon's next start.
struct TakenUp {
  std::vector<std::string> changed, at_next_start;
};

// Takes over into the settings in force those that may change while the daemon runs; the others keep their values.
TakenUp take_up(Config& in_force, Config read);

}  // namespace vireo::daemon
