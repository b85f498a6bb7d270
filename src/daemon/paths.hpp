// Where a daemon keeps what: four folders, of the system or below one root, so that many daemons can run side by side.
#pragma once

#include <string>

namespace vireo::daemon {

struct Paths {
  std::string run_dir = "/run/vireo";      // sockets, pid file, running guests' monitors: gone with a reboot
  std::string lib_dir = "/var/lib/vireo";  // definitions, what was probed
  std::string log_dir = "/var/log/vireo";  // the daemon's log, and one file per guest below qemu/
  std::string config_file = "/etc/vireo/vireod.toml";
  bool config_required = false;  // the file was named, so it has to be there; else the defaults do without

  // Everything below `root`: root/run, root/lib, root/log, root/etc/vireod.toml. Made absolute, because the daemon
  // changes its working folder.
  static Paths below(const std::string& root);

  std::string http_socket() const { return run_dir + "/http-sock"; }
  std::string xenstore_socket() const { return run_dir + "/xenstore-sock"; }
  std::string pid_file() const { return run_dir + "/vireod.pid"; }
  std::string log_file() const { return log_dir + "/vireod.log"; }
  std::string guest_runtime_dir() const { return run_dir + "/guests"; }
  std::string test_runtime_dir() const { return run_dir + "/simulated"; }
  std::string guest_log_dir() const { return log_dir + "/qemu"; }
  std::string database() const { return lib_dir + "/vireo.db"; }
  std::string tree_database() const { return lib_dir + "/tree.db"; }
  std::string cache_dir() const { return lib_dir + "/cache"; }
};

}  // namespace vireo::daemon
