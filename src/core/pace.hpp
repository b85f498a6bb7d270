// How many launches the host can bear at one moment. The rule is a pure function of what the kernel tells (pressure
// stall information, Documentation/accounting/psi.rst: the share of the last ten seconds in which every task waited).
#pragma once

#include <algorithm>

#include "ports/host_facts.hpp"

namespace vireo::core {

// What a host without any pressure bears: launching is mostly work for processors, and twice as many as there are keep
// them busy while others wait for their disk or their monitor.
inline unsigned most_launches(unsigned processors) { return std::max(4U, 2 * processors); }

// The number from now on, `now` being the present one. Memory that runs out lets one in at a time: another QEMU makes
// it worse for all. Disks that keep everybody waiting halve the number; calm gives it back one by one.
unsigned next_limit(unsigned now, const ports::HostLoad& load);

class Host;

// Follows the host's load while guests are being launched or wait for it, and ends when nobody does. Begun by a launch
// that finds it not running, unless the settings pin the number.
asio::awaitable<void> keep_pace(Host& host);

}  // namespace vireo::core
