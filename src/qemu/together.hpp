// Several questions to one monitor at once: they travel together instead of each waiting for the answer before it.
#pragma once

#include <optional>
#include <vector>

#include "base/deadline.hpp"
#include "base/error.hpp"

namespace vireo::qemu {

// Begins all of them and returns when the last has ended, with the failure that came first, if any; where the monitor
// was silent about several, with that of the first of them. Each must end by itself soon after the deadline.
asio::awaitable<Result<void>> together(std::vector<asio::awaitable<Result<void>>> parts, Deadline deadline);

}  // namespace vireo::qemu
