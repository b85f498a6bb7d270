// What the kernel says of another process: its memory, and the processor time of one of its threads. Reads /proc.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/error.hpp"

namespace vireo::bench {

// The resident set, in KiB.
Result<std::uint64_t> resident_kib(pid_t pid);
// What the thread of this name has used since it began. Error: VIR_ERR_INTERNAL_ERROR where no thread has the name.
Result<std::chrono::nanoseconds> thread_time(pid_t pid, std::string_view name);
// What all its threads have used, those that have ended as well.
Result<std::chrono::nanoseconds> process_time(pid_t pid);

}  // namespace vireo::bench
