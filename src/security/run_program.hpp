// Running another program to its end, for workers: its output is kept for the message when it fails, and it is killed
// when it takes too long. Blocks.
#pragma once

#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "base/error.hpp"

namespace vireo::security {

// `argv`: the first is the program, looked for in the usual folders. Errors: VIR_ERR_SYSTEM_ERROR when it cannot be
// executed; VIR_ERR_INTERNAL_ERROR naming the program, how it ended and what it said; VIR_ERR_OPERATION_TIMEOUT.
Result<void> run_program(const std::vector<std::string>& argv, Deadline deadline);

}  // namespace vireo::security
