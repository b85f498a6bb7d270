// The unix socket of a guest's monitor: made by the daemon, inherited by QEMU as a listening socket, connected to by
// this and every later daemon. Paths may be longer than the 107 bytes of a socket address. Blocks on the file system
// only (a worker calls it).
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace vireo::qemu {

// A socket listening at `path` with mode 0600; a stale one there is replaced. The descriptor is 3 or more.
Result<Fd> listen_at(const std::string& path);

// A non-blocking connection. VIR_ERR_NO_DOMAIN: nobody listens there. VIR_ERR_RESOURCE_BUSY: its queue is full.
Result<Fd> connect_to(const std::string& path);

}  // namespace vireo::qemu
