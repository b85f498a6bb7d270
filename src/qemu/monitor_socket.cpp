// Sockets by path, whatever the path's length.
#include "qemu/monitor_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

namespace vireo::qemu {

namespace {

// An address for the path. A long path is reached through its opened folder, which must stay open until it was used.
struct Place {
  Fd folder;
  sockaddr_un address{};
};

Result<Place> place_of(const std::string& path) {
  Place place;
  place.address.sun_family = AF_UNIX;
  auto text = path;
  if (text.size() >= sizeof place.address.sun_path) {
    const auto slash = path.rfind('/');
    const auto folder = slash == std::string::npos ? std::string(".") : path.substr(0, slash + 1);
    place.folder = Fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!place.folder) return fail_errno(errno, "cannot open '" + folder + "'");
    text = "/proc/self/fd/" + std::to_string(place.folder.get()) + "/" + path.substr(slash + 1);
  }
  if (text.size() >= sizeof place.address.sun_path)
    return fail(VIR_ERR_CONFIG_UNSUPPORTED, "the file name of the socket '" + path + "' is too long");
  std::memcpy(place.address.sun_path, text.c_str(), text.size() + 1);
  return place;
}

const sockaddr* generic(const Place& place) { return reinterpret_cast<const sockaddr*>(&place.address); }

}  // namespace

Result<Fd> listen_at(const std::string& path) {
  auto place = place_of(path);
  if (!place) return pass_on(place);
  Fd low(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Fd fd(low ? ::fcntl(low.get(), F_DUPFD_CLOEXEC, 3) : -1);
  if (!fd) return fail_errno(errno, "cannot make a socket");
  if (::unlink(path.c_str()) < 0 && errno != ENOENT) return fail_errno(errno, "cannot remove '" + path + "'");
  // The socket's own mode is what the file gets: no moment in which others could connect.
  if (::fchmod(fd.get(), 0600) < 0) return fail_errno(errno, "cannot protect the socket '" + path + "'");
  if (::bind(fd.get(), generic(*place), sizeof place->address) < 0)
    return fail_errno(errno, "cannot make the socket '" + path + "'");
  // Connections of daemons that gave up wait here while QEMU is stuck; they must not keep the next one out.
  constexpr int kQueue = 32;
  if (::listen(fd.get(), kQueue) < 0) return fail_errno(errno, "cannot listen at '" + path + "'");
  return fd;
}

Result<Fd> connect_to(const std::string& path) {
  auto place = place_of(path);
  if (!place) return pass_on(place);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno(errno, "cannot make a socket");
  if (::connect(fd.get(), generic(*place), sizeof place->address) == 0) return fd;
  const int error = errno;
  if (error == ENOENT || error == ECONNREFUSED) return fail(VIR_ERR_NO_DOMAIN, "nobody listens at '" + path + "'");
  if (error == EAGAIN) return fail(VIR_ERR_RESOURCE_BUSY, "too many connections wait at '" + path + "'");
  return fail_errno(error, "cannot connect to '" + path + "'");
}

}  // namespace vireo::qemu
