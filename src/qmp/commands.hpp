// The monitor commands that Vireo uses, with typed answers: what QEMU's JSON says is read here and nowhere else. Errors
// are the monitor's own, or VIR_ERR_INTERNAL_ERROR for an answer of another shape than QEMU documents.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "qmp/monitor.hpp"

namespace vireo::qmp {

struct Status {
  bool running = false;  // vCPUs run
  std::string name;      // "prelaunch", "paused", "running", "shutdown", "guest-panicked" …
};

asio::awaitable<Result<void>> run_command(MonitorPtr monitor, std::string command, Deadline deadline,
                                          std::source_location where = std::source_location::current());
asio::awaitable<Result<Status>> query_status(MonitorPtr monitor, Deadline deadline);
// Character device id ("charserial0") → the pseudo terminal that QEMU opened for it ("/dev/pts/3").
asio::awaitable<Result<std::map<std::string, std::string>>> query_terminals(MonitorPtr monitor, Deadline deadline);
// The ids of the character devices whose front end is held open: of a channel, by the guest.
asio::awaitable<Result<std::set<std::string>>> query_open_frontends(MonitorPtr monitor, Deadline deadline);
// How much memory the balloon leaves the guest now, in bytes.
asio::awaitable<Result<std::uint64_t>> query_balloon(MonitorPtr monitor, Deadline deadline);
// The threads that run the vCPUs, in their order.
asio::awaitable<Result<std::vector<pid_t>>> query_vcpu_threads(MonitorPtr monitor, Deadline deadline);
// The TCP port of the VNC server; 0: it does not listen on one.
asio::awaitable<Result<int>> query_vnc_port(MonitorPtr monitor, Deadline deadline);
// A line of the human monitor: what it prints.
asio::awaitable<Result<std::string>> human_command(MonitorPtr monitor, std::string line, Deadline deadline);

}  // namespace vireo::qmp
