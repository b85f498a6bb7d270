// A blocking connection over a unix socket, for the small clients of this room: HTTP and the tree's.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace vireo::cli {

// Reads and writes end with EAGAIN after `timeout`; 0: they wait for as long as it takes. Error: VIR_ERR_NO_CONNECT
// when nobody listens at the path or it may not be opened (the detail is the system's reason).
Result<Fd> connect_to(const std::string& path, std::chrono::seconds timeout);

Result<void> send_all(int fd, std::string_view bytes);

// At most so many bytes as are there; none: the other side has closed. Error: VIR_ERR_SYSTEM_ERROR, also when nothing
// comes in time.
Result<std::string_view> receive_some(int fd, std::span<char> room);

}  // namespace vireo::cli
