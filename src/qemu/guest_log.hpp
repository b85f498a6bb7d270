// A guest's own log file: a header for each start, then whatever QEMU prints. QEMU holds it open for appending, so it
// goes on without the daemon. Blocks on the file system only (a worker calls it).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace vireo::qemu {

struct GuestLog {
  Fd fd;                        // append-only
  std::uint64_t begins_at = 0;  // where this start's own output begins
};

// Opens the log (mode 0600) and writes this start's header: time, versions, environment and command line.
Result<GuestLog> open_guest_log(const std::string& path, const std::string& about,
                                const std::vector<std::string>& environment, const std::vector<std::string>& argv);

// The log's size now; 0 if there is none.
std::uint64_t guest_log_size(const std::string& path);

// The last whole lines written since `begins_at`, at most 2 KiB, without the last line end; empty if there is nothing.
std::string guest_log_tail(const std::string& path, std::uint64_t begins_at);

}  // namespace vireo::qemu
