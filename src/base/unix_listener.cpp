// Binding and removing.
#include "base/unix_listener.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace vireo {
Result<void> UnixListener::listen(const std::filesystem::path& path, std::filesystem::perms mode) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode))
      return fail(VIR_ERR_SYSTEM_ERROR,
                  fmt::format("cannot listen at '{}': there is a file of that name", path.native()));
    ::unlink(path.c_str());
  }
  const auto cannot = [&](const boost::system::error_code& error) {
    return fail_errno(error.value(), fmt::format("cannot listen at '{}'", path.native()));
  };
  // Asio's endpoint throws for what does not fit, and the plain message would not say why.
  if (path.native().size() >= sizeof(sockaddr_un::sun_path))
    return fail(VIR_ERR_SYSTEM_ERROR,
                fmt::format("cannot listen at '{}': a socket's path has at most {} bytes; choose a shorter folder",
                            path.native(), sizeof(sockaddr_un::sun_path) - 1));
  boost::system::error_code error;
  acceptor_.open(Protocol(), error);
  if (!error) acceptor_.bind(Protocol::endpoint(path.native()), error);
  if (error) return cannot(error);
  path_ = path;
  if (::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0)
    return fail_errno(errno, fmt::format("cannot set the mode of '{}'", path.native()));
  acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return cannot(error);
  return {};
}

Result<void> UnixListener::adopt(int listening_fd) {
  boost::system::error_code error;
  acceptor_.assign(Protocol(), listening_fd, error);
  if (error) return fail_errno(error.value(), "cannot accept on the socket that was handed over");
  return {};
}

void UnixListener::stop() {
  if (!path_.empty()) ::unlink(path_.c_str());
  Listener::stop();
}

}  // namespace vireo
