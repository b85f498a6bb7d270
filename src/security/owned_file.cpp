// Attribute first, owner second, and back in the opposite order: a daemon that is killed in between leaves a file whose
// attribute still says to whom it belongs.
#include "security/owned_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <sstream>
#include <vector>

#include "base/fault.hpp"
#include "base/fd.hpp"

namespace vireo::security {

namespace {

constexpr const char* kAttribute = "trusted.vireo.owner";

// As the attribute has it: "1 UID:GID BOOT-ID GUEST GUEST …". The 1 is the form's number.
struct Memory {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string boot_id;
  std::vector<std::string> lives;

  std::string text() const {
    std::string out = fmt::format("1 {}:{} {}", uid, gid, boot_id);
    for (const auto& life : lives) out += " " + life;
    return out;
  }
  static std::optional<Memory> parse(const std::string& text) {
    std::istringstream words(text);
    Memory memory;
    int form = 0;
    char colon = 0;
    if (!(words >> form >> memory.uid >> colon >> memory.gid >> memory.boot_id) || form != 1 || colon != ':')
      return std::nullopt;
    for (std::string life; words >> life;) memory.lives.push_back(life);
    return memory;
  }
};

// A handle on the very file that was looked at; opening it so has no effect on devices.
class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_PATH | O_CLOEXEC)) {
    if (!fd_ || ::fstat(fd_.get(), &stat_) < 0) error_ = errno;
    by_handle_ = "/proc/self/fd/" + std::to_string(fd_.get());
  }
  int error() const { return error_; }
  const struct stat& stat() const { return stat_; }
  bool can_change_owner() const { return S_ISREG(stat_.st_mode) || S_ISBLK(stat_.st_mode); }

  std::optional<Memory> memory() const {
    std::string text(65536, '\0');
    const auto size = ::getxattr(by_handle_.c_str(), kAttribute, text.data(), text.size());
    if (size < 0) return std::nullopt;
    text.resize(static_cast<std::size_t>(size));
    return Memory::parse(text);
  }
  bool remember(const Memory& memory) const {
    const auto text = memory.text();
    return ::setxattr(by_handle_.c_str(), kAttribute, text.data(), text.size(), 0) == 0;
  }
  bool forget() const { return ::removexattr(by_handle_.c_str(), kAttribute) == 0 || errno == ENODATA; }
  bool change_owner(uid_t uid, gid_t gid) const { return ::fchownat(fd_.get(), "", uid, gid, AT_EMPTY_PATH) == 0; }
  bool belongs_to(const Credentials& user) const { return stat_.st_uid == user.uid && stat_.st_gid == user.gid; }

 private:
  Fd fd_;
  struct stat stat_{};
  int error_ = 0;
  std::string by_handle_;
};

// Reading and writing the attribute is one step for everybody who works on the file.
std::mutex& mutex_of(const File& file) {
  static std::array<std::mutex, 64> mutexes;
  return mutexes[file.stat().st_ino % mutexes.size()];
}

// The first folder on the way to the file that the user may not pass; empty: none.
std::string closed_folder(const Credentials& user, const std::string& path) {
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const auto folder = path.substr(0, slash);
    if (try_access(user, folder, X_OK) != 0) return folder;
  }
  return {};
}

std::unexpected<Error> no_access(const std::string& path, const std::string& what) {
  return fail_from(VIR_FROM_STORAGE, VIR_ERR_SYSTEM_ERROR, "Cannot access storage file '" + path + "'" + what);
}

Result<void> check_access(const std::string& path, bool write, const Credentials& user) {
  const int error = try_access(user, path, write ? R_OK | W_OK : R_OK);
  if (error == 0) return {};
  const auto folder = closed_folder(user, path);
  return no_access(path, fmt::format(" (as uid:{}, gid:{}): {}{}", user.uid, user.gid, std::strerror(error),
                                     folder.empty() ? ""
                                                    : fmt::format("; the folder '{}' does not let user {} through",
                                                                  folder, user.user)));
}

// Before the change: what the file's attribute is to say.
Memory next_memory(const File& file, const Tenant& tenant) {
  auto memory = file.memory();
  if (!memory || !file.belongs_to(tenant.user))
    memory = Memory{.uid = file.stat().st_uid, .gid = file.stat().st_gid, .boot_id = {}, .lives = {}};
  if (memory->boot_id != tenant.boot_id) {
    memory->boot_id = tenant.boot_id;
    memory->lives.clear();
  }
  if (std::ranges::find(memory->lives, tenant.life) == memory->lives.end()) memory->lives.push_back(tenant.life);
  return std::move(*memory);
}

Result<void> take(const File& file, const std::string& path, const Tenant& tenant) {
  if (auto fault = fault::at("dac.remember"); !fault) return fault;
  if (!file.remember(next_memory(file, tenant)))
    return fail_errno(errno,
                      fmt::format("the owner of '{}' cannot be remembered, so it is not changed; give it to user "
                                  "{} for good (chown), or put it on a file system with extended attributes",
                                  path, tenant.user.user));
  if (auto fault = fault::at("dac.chown"); !fault) return fault;
  if (file.belongs_to(tenant.user) || file.change_owner(tenant.user.uid, tenant.user.gid)) return {};
  return fail_errno(errno, fmt::format("cannot give '{}' to user {}", path, tenant.user.user));
}

}  // namespace

Result<void> give(const std::string& path, bool write, const Tenant& tenant) {
  Result<void> done;
  {
    const File file(path);
    if (file.error() != 0) return no_access(path, std::string(": ") + std::strerror(file.error()));
    const std::scoped_lock lock(mutex_of(file));
    const bool shared = file.memory().has_value();
    // What root can reach tells nothing: QEMU has none of root's capabilities.
    const bool reachable = tenant.user.uid != 0 && try_access(tenant.user, path, write ? R_OK | W_OK : R_OK) == 0;
    const bool enough = file.belongs_to(tenant.user) || (reachable && !write);
    if (file.can_change_owner() && (shared || !enough)) done = take(file, path, tenant);
    // Where nothing can be remembered, what the user can use as it is needs no change.
    if (!done && reachable && !file.memory()) done = {};
  }
  if (done) done = check_access(path, write, tenant.user);
  if (!done)
    if (auto back = give_back(path, tenant); !back) done.error().detail += "; " + back.error().detail;
  return done;
}

Result<void> give_back(const std::string& path, const Tenant& tenant) {
  const File file(path);
  if (file.error() != 0) return {};  // gone, and its owner with it
  const std::scoped_lock lock(mutex_of(file));
  auto memory = file.memory();
  if (!memory) return {};
  std::erase(memory->lives, tenant.life);
  if (memory->boot_id == tenant.boot_id && !memory->lives.empty()) {
    if (file.remember(*memory)) return {};
    return fail_errno(errno, "cannot write down who uses '" + path + "'");
  }
  if (auto fault = fault::at("dac.give_back"); !fault) return fault;
  // Somebody else's choice of an owner, made meanwhile, stands.
  if (file.belongs_to(tenant.user) && !file.change_owner(memory->uid, memory->gid))
    return fail_errno(errno, fmt::format("cannot give '{}' back to its owner {}:{}", path, memory->uid, memory->gid));
  if (auto fault = fault::at("dac.forget"); !fault) return fault;
  if (!file.forget()) return fail_errno(errno, "cannot remove the attribute of '" + path + "'");
  return {};
}

}  // namespace vireo::security
