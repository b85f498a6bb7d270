// The user database, and the file system identity of one thread.
#include "base/credentials.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>

namespace vireo {

namespace {

// By system call: the C library would change all threads.
void set_groups_of_thread(const std::vector<gid_t>& groups) { ::syscall(SYS_setgroups, groups.size(), groups.data()); }

}  // namespace

namespace {

// The database's functions that threads may share want room for what they find.
constexpr std::size_t kRoom = 64UL * 1024;

struct User {
  uid_t uid;
  gid_t gid;
  std::string name;
};

std::optional<User> user_of(const passwd* found) {
  if (!found) return std::nullopt;
  return User{.uid = found->pw_uid, .gid = found->pw_gid, .name = found->pw_name};
}
std::optional<User> user_named(const std::string& name) {
  std::string room(kRoom, '\0');
  passwd entry{};
  passwd* found = nullptr;
  ::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  return user_of(found);
}
std::optional<User> user_with(uid_t uid) {
  std::string room(kRoom, '\0');
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(uid, &entry, room.data(), room.size(), &found);
  return user_of(found);
}
std::optional<gid_t> group_named(const std::string& name) {
  std::string room(kRoom, '\0');
  struct group entry{};
  struct group* found = nullptr;
  ::getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
  return found ? std::optional(found->gr_gid) : std::nullopt;
}

std::vector<gid_t> groups_of(const std::string& user, gid_t gid) {
  int count = 64;
  std::vector<gid_t> groups;
  do {
    groups.resize(static_cast<std::size_t>(count));
  } while (::getgrouplist(user.c_str(), gid, groups.data(), &count) < 0);
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

std::optional<id_t> number_in(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  id_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr id_t kNobody = static_cast<id_t>(-1);  // to the kernel it means "leave it"
  if (error != std::errc{} || end != text.data() + text.size() || number == kNobody) return std::nullopt;
  return number;
}

}  // namespace

Result<Credentials> credentials_of(const std::string& user, const std::string& group) {
  const auto found = user_named(user);
  if (!found) return fail(VIR_ERR_CONF_SYNTAX, "no user is named '" + user + "'");
  Credentials who{.uid = found->uid, .gid = found->gid, .groups = groups_of(user, found->gid), .user = user};
  if (group.empty()) return who;
  const auto chosen = group_named(group);
  if (!chosen) return fail(VIR_ERR_CONF_SYNTAX, "no group is named '" + group + "'");
  who.gid = *chosen;
  return who;
}

Result<Credentials> credentials_of_label(const std::string& label) {
  const auto colon = label.find(':');
  if (colon == std::string::npos)
    return fail(VIR_ERR_INVALID_ARG,
                "the label '" + label + "' is not USER:GROUP; write names or numbers, such as '+107:+36'");
  const auto user = label.substr(0, colon), group = label.substr(colon + 1);
  auto found = user.starts_with('+') ? std::nullopt : user_named(user);
  if (!found) {
    const auto uid = number_in(user);
    if (!uid) return fail(VIR_ERR_INVALID_ARG, "the label '" + label + "': no user is named '" + user + "'");
    found = user_with(*uid);
    if (!found) found = User{.uid = *uid, .gid = *uid, .name = {}};
  }
  auto gid = group.starts_with('+') ? std::nullopt : group_named(group);
  if (!gid) gid = number_in(group);
  if (!gid) return fail(VIR_ERR_INVALID_ARG, "the label '" + label + "': no group is named '" + group + "'");
  Credentials who{.uid = found->uid, .gid = *gid, .groups = {}, .user = found->name};
  if (found->name.empty())
    who.user = fmt::format("+{}", who.uid);
  else
    who.groups = groups_of(found->name, *gid);
  return who;
}

std::string describe(const Credentials& who) {
  if (who.user.empty() || who.user.starts_with('+')) return fmt::format("uid {}, gid {}", who.uid, who.gid);
  return fmt::format("uid {} ({}), gid {}", who.uid, who.user, who.gid);
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
