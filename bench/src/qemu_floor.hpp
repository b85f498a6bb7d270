// What a start costs when nobody manages it: QEMU with an empty paused machine and nothing around it. Whatever a
// manager needs beyond this is the manager's own. Spawns and ends a process; touches nothing else.
#pragma once

#include "base/error.hpp"
#include "report.hpp"

namespace vireo::bench {

struct QemuFloor {
  Clock::duration start;  // from spawn until the monitor has answered qmp_capabilities
  Clock::duration stop;   // from SIGKILL until the process is reaped
};

// One start and stop of `emulator` (a full path).
Result<QemuFloor> measure_qemu(const char* emulator);

}  // namespace vireo::bench
