// What a start costs when nobody manages it: QEMU with an empty paused machine and nothing around it. Whatever a
// manager needs beyond this is the manager's own. Spawns and ends a process; touches nothing else.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "report.hpp"

namespace vireo::bench {

// A QEMU that nobody manages. It runs until it is ended.
struct BareQemu {
  pid_t pid = -1;
  Fd monitor;  // has answered qmp_capabilities
};

// Spawns a command line and shakes hands with its monitor. Where an argument says "fd={}", the number of the monitor's
// listening socket is put in. The first argument is the emulator's full path.
Result<BareQemu> spawn_qemu(std::vector<std::string> arguments);
void kill_qemu(const BareQemu& qemu);

struct QemuFloor {
  Clock::duration start;  // from spawn until the monitor has answered qmp_capabilities
  Clock::duration stop;   // from SIGKILL until the process is reaped
};

// One start and stop of `emulator` (a full path).
Result<QemuFloor> measure_qemu(const char* emulator);

}  // namespace vireo::bench
