// The floor: a server of xenstore's protocol that takes requests off the socket, looks at their headers and answers
// OK to all that have come with one write. What any server needs besides is its own work.
//
//   bench_xenstore_floor SOCKET        ends with its standard input
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#include <cstdio>
#include <cstring>
#include <map>

#include "base/fd.hpp"

namespace vireo::bench::xenstore {
namespace {

struct Connection {
  Fd socket;
  std::string in = {};

  // False: it has ended.
  bool serve() {
    char piece[65'536];
    const auto got = ::recv(socket.get(), piece, sizeof piece, 0);
    if (got <= 0) return false;
    in.append(piece, static_cast<std::size_t>(got));
    std::string out;
    std::size_t taken = 0;
    for (xsd_sockmsg header; in.size() - taken >= sizeof header;) {
      std::memcpy(&header, in.data() + taken, sizeof header);
      if (in.size() - taken < sizeof header + header.len) break;
      taken += sizeof header + header.len;
      const std::string_view answer(header.type == XS_TRANSACTION_START ? "1" : "OK");
      header.len = static_cast<std::uint32_t>(answer.size() + 1);
      out.append(reinterpret_cast<const char*>(&header), sizeof header).append(answer).push_back('\0');
    }
    in.erase(0, taken);
    return ::send(socket.get(), out.data(), out.size(), MSG_NOSIGNAL) >= 0;
  }
};

int run(const char* path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Fd poll(::epoll_create1(EPOLL_CLOEXEC));
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), 100) != 0) {
    std::perror("bench_xenstore_floor");
    return 1;
  }
  const auto look_at = [&poll](int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(poll.get(), EPOLL_CTL_ADD, fd, &event);
  };
  look_at(listener.get());
  look_at(STDIN_FILENO);
  std::map<int, Connection> connections;
  for (;;) {
    epoll_event events[64];
    const int count = ::epoll_wait(poll.get(), events, 64, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == STDIN_FILENO) return 0;
      if (fd == listener.get()) {
        Fd accepted(::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
        const int number = accepted.get();
        look_at(number);
        connections.emplace(number, Connection{.socket = std::move(accepted)});
      } else if (!connections.at(fd).serve()) {
        connections.erase(fd);
      }
    }
  }
}

}  // namespace
}  // namespace vireo::bench::xenstore

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: bench_xenstore_floor SOCKET\n", stderr);
    return 2;
  }
  return vireo::bench::xenstore::run(argv[1]);
}
