// For tests that are one end of a socket in the file system, as a program of somebody else's would be.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "base/fd.hpp"

namespace vireo::tests {

// A stream socket for which this has been done with the path.
inline Fd socket_after(int (*step)(int, const sockaddr*, socklen_t), const std::string& path) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(step(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << path;
  return fd;
}
inline Fd connected_to(const std::string& path) { return socket_after(::connect, path); }
inline Fd bound_to(const std::string& path) { return socket_after(::bind, path); }

}  // namespace vireo::tests
