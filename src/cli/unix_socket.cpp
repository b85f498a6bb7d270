// Connecting, sending, receiving.
#include "cli/unix_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace vireo::cli {

Result<Fd> connect_to(const std::string& path, std::chrono::seconds timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(VIR_ERR_NO_CONNECT, std::strerror(ENAMETOOLONG));
  path.copy(address.sun_path, path.size());
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno(errno, "cannot make a socket");
  const timeval wait{.tv_sec = timeout.count(), .tv_usec = 0};
  for (const int which : {SO_RCVTIMEO, SO_SNDTIMEO}) ::setsockopt(fd.get(), SOL_SOCKET, which, &wait, sizeof wait);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return fail(VIR_ERR_NO_CONNECT, std::strerror(errno));
  return fd;
}

Result<void> send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return fail_errno(errno, "cannot send the request");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<std::string_view> receive_some(int fd, std::span<char> room) {
  for (;;) {
    const auto got = ::recv(fd, room.data(), room.size(), 0);
    if (got >= 0) return std::string_view(room.data(), static_cast<std::size_t>(got));
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return fail(VIR_ERR_SYSTEM_ERROR, "vireod did not answer in time");
    return fail_errno(errno, "cannot read the answer");
  }
}

}  // namespace vireo::cli
