// The daemon's log: one line per event, to standard error or the file that the daemon chose. Format strings are
// checked at compile time. Any thread may log; a line is never worth waiting for, so nothing on a hot path logs.
#pragma once

#include <spdlog/spdlog.h>

namespace vireo::log {
using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;
}  // namespace vireo::log
