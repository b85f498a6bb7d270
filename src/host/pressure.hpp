// Pressure stall information of a process's control group of version 2, where it has one to itself.
#pragma once

#include <string>

#include "model/stats.hpp"

namespace vireo::host {

// The folder of the group that the process is in; empty where there is no version 2, or it is the group of this very
// process or of the whole host, whose pressure is not the guest's alone. `root`: another folder than /, for tests.
std::string group_folder(pid_t pid, const std::string& root = {});

void read_pressure(const std::string& group_folder, model::HostFigures& out);

}  // namespace vireo::host
