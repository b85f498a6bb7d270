// The user database, and the file system identity of one thread.
#include "base/credentials.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace vireo {

namespace {

// By system call: the C library would change all threads.
void set_groups_of_thread(const std::vector<gid_t>& groups) { ::syscall(SYS_setgroups, groups.size(), groups.data()); }

}  // namespace

Result<Credentials> credentials_of(const std::string& user, const std::string& group) {
  const passwd* entry = ::getpwnam(user.c_str());
  if (!entry) return fail(VIR_ERR_CONF_SYNTAX, "no user is named '" + user + "'");
  Credentials who{.uid = entry->pw_uid, .gid = entry->pw_gid, .groups = {}, .user = user};
  int count = 64;
  do {
    who.groups.resize(static_cast<std::size_t>(count));
  } while (::getgrouplist(user.c_str(), who.gid, who.groups.data(), &count) < 0);
  who.groups.resize(static_cast<std::size_t>(count));
  if (group.empty()) return who;
  const struct group* chosen = ::getgrnam(group.c_str());
  if (!chosen) return fail(VIR_ERR_CONF_SYNTAX, "no group is named '" + group + "'");
  who.gid = chosen->gr_gid;
  return who;
}

ActAs::ActAs(const Credentials& who) {
  if (::geteuid() != 0) return;
  changed_ = true;
  own_groups_.resize(static_cast<std::size_t>(::getgroups(0, nullptr)));
  if (!own_groups_.empty()) ::getgroups(static_cast<int>(own_groups_.size()), own_groups_.data());
  set_groups_of_thread(who.groups);
  ::setfsgid(who.gid);
  ::setfsuid(who.uid);  // takes the capabilities that concern files with it
}

ActAs::~ActAs() {
  if (!changed_) return;
  ::setfsuid(::geteuid());
  ::setfsgid(::getegid());
  set_groups_of_thread(own_groups_);
}

int try_access(const Credentials& who, const std::string& path, int mode) {
  const ActAs other(who);
  return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0 ? 0 : errno;
}

}  // namespace vireo
