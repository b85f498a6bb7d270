// Forking, waiting, locking.
#include "daemon/background.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>

namespace vireo::daemon {

Background Background::detach() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    std::perror("vireod: cannot make a pipe");
    std::exit(1);
  }
  Fd from_child(ends[0]), to_parent(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) {
    std::perror("vireod: cannot fork");
    std::exit(1);
  }
  if (child > 0) {
    to_parent.reset();
    char status = 1;
    if (::read(from_child.get(), &status, 1) == 1 && status == 0) ::_exit(0);
    std::string text;
    char buffer[512];
    for (ssize_t n; (n = ::read(from_child.get(), buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(n));
    std::fprintf(stderr, "vireod: %s\n", text.empty() ? "ended before it was ready; its log says why" : text.c_str());
    ::_exit(1);
  }
  ::setsid();
  if (const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC); null >= 0) {
    for (const int fd : {0, 1, 2}) ::dup2(null, fd);
    if (null > 2) ::close(null);
  }
  Background background;
  background.to_parent_ = std::move(to_parent);
  return background;
}

void Background::ready() {
  if (!to_parent_) return;
  const char good = 0;
  (void)!::write(to_parent_.get(), &good, 1);
  to_parent_.reset();
}

void Background::failed(const std::string& why) {
  if (!to_parent_) return;
  const std::string message = "\1" + why;
  (void)!::write(to_parent_.get(), message.data(), message.size());
  to_parent_.reset();
}

Result<Fd> lock_pid_file(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file) return fail_errno(errno, "cannot open the pid file '" + path + "'");
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    char other[32] = {};
    (void)!::read(file.get(), other, sizeof other - 1);
    return fail(VIR_ERR_OPERATION_FAILED, "another vireod (pid " + std::to_string(std::atoi(other)) +
                                              ") uses this root; end it first or choose another --root");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) != 0 || ::write(file.get(), pid.data(), pid.size()) < 0)
    return fail_errno(errno, "cannot write the pid file '" + path + "'");
  return file;
}

}  // namespace vireo::daemon
