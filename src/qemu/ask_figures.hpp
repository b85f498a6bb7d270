// Asking a monitor for figures: every command that a question needs travels at once.
#pragma once

#include "ports/hypervisor.hpp"
#include "qmp/monitor.hpp"

namespace vireo::qemu {

// `balloon_path`: the balloon's place in QEMU's object tree; empty: there is none.
asio::awaitable<Result<ports::MonitorAnswer>> ask_figures(qmp::MonitorPtr monitor, ports::MonitorQuestion question,
                                                          std::string balloon_path, Deadline deadline);
// See ports::Guest.
asio::awaitable<Result<void>> set_balloon_period(qmp::MonitorPtr monitor, std::string balloon_path, int seconds,
                                                 Deadline deadline);
asio::awaitable<Result<void>> start_dirty_rate(qmp::MonitorPtr monitor, int seconds, std::string mode,
                                               Deadline deadline);
asio::awaitable<Result<std::vector<std::pair<std::string, std::string>>>> query_disk_errors(qmp::MonitorPtr monitor,
                                                                                            Deadline deadline);

}  // namespace vireo::qemu
