// What statistics cost when nobody serves them: one command written to the monitors of many QEMUs at once, and every
// answer read, by a client that does nothing else. Also what a command costs the QEMU that answers it.
#pragma once

#include <string>
#include <vector>

#include "qemu_floor.hpp"

namespace vireo::bench {

// Until the last has answered. The answers are read and not looked at, but for their ends.
Result<Clock::duration> ask_all(const std::vector<BareQemu>& qemus, const std::string& command);

struct CommandCost {
  double round_trip_us = 0;  // the median of what one client waits
  double qemu_us = 0;        // processor time that QEMU takes for one
  std::size_t answer_bytes = 0;
  bool refused = false;
};
// The command many times over, one after the other, to one QEMU, which must be doing nothing else.
Result<CommandCost> cost_of(const BareQemu& qemu, const std::string& command);

}  // namespace vireo::bench
