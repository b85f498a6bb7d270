// Attribute first, owner second, and back in the opposite order: a daemon that is killed in between leaves a file whose
// attribute still says to whom it belongs.
#include "security/owned_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <sstream>
#include <vector>

#include "base/fault.hpp"
#include "base/fd.hpp"
#include "security/access.hpp"
#include "security/file_turns.hpp"

namespace vireo::security {

namespace {

constexpr const char* kAttribute = "trusted.vireo.owner";

struct Owner {
  uid_t uid = 0;
  gid_t gid = 0;
  bool operator==(const Owner&) const = default;
};

Owner owner_of(const Credentials& user) { return {.uid = user.uid, .gid = user.gid}; }

// As the attribute has it: "2 UID:GID LENT-UID:LENT-GID BOOT-ID GUEST GUEST …". The 2 is the form's number; form 1 does
// not say to whom the file was lent, since there was one user for all guests.
struct Memory {
  Owner owner;
  std::optional<Owner> lent_to;
  std::string boot_id;
  std::vector<std::string> lives;

  Owner lent(const Credentials& otherwise) const { return lent_to.value_or(owner_of(otherwise)); }
  std::string text(const Credentials& otherwise) const {
    const auto to = lent(otherwise);
    std::string out = fmt::format("2 {}:{} {}:{} {}", owner.uid, owner.gid, to.uid, to.gid, boot_id);
    for (const auto& life : lives) out += " " + life;
    return out;
  }
  static bool read(std::istream& words, Owner& owner) {
    char colon = 0;
    return (words >> owner.uid >> colon >> owner.gid) && colon == ':';
  }
  static std::optional<Memory> parse(const std::string& text) {
    std::istringstream words(text);
    Memory memory;
    int form = 0;
    if (!(words >> form) || form < 1 || form > 2 || !read(words, memory.owner)) return std::nullopt;
    if (form == 2 && !read(words, memory.lent_to.emplace())) return std::nullopt;
    if (!(words >> memory.boot_id)) return std::nullopt;
    for (std::string life; words >> life;) memory.lives.push_back(life);
    return memory;
  }
};

// A handle on the very file that was looked at; opening it so has no effect on devices.
class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_PATH | O_CLOEXEC)) {
    if (!fd_)
      error_ = errno;
    else
      look();
    by_handle_ = "/proc/self/fd/" + std::to_string(fd_.get());
  }
  // Once more: its owner may have changed while its turn was waited for.
  void look() {
    if (::fstat(fd_.get(), &stat_) < 0) error_ = errno;
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
  bool remember(const Memory& memory, const Credentials& user) const {
    const auto text = memory.text(user);
    return ::setxattr(by_handle_.c_str(), kAttribute, text.data(), text.size(), 0) == 0;
  }
  bool forget() const { return ::removexattr(by_handle_.c_str(), kAttribute) == 0 || errno == ENODATA; }
  bool change_owner(Owner to) const { return ::fchownat(fd_.get(), "", to.uid, to.gid, AT_EMPTY_PATH) == 0; }
  Owner owner() const { return {.uid = stat_.st_uid, .gid = stat_.st_gid}; }

 private:
  Fd fd_;
  struct stat stat_{};
  int error_ = 0;
  std::string by_handle_;
};

// Reading and writing the attribute is one step for everybody who works on the file.
Result<FileTurns::Turn> turn_at(const File& file, const std::string& path, const Tenant& tenant) {
  return FileTurns::of_process().take(file.stat().st_dev, file.stat().st_ino, path, tenant.deadline);
}

std::unexpected<Error> no_access(const std::string& path, const std::string& what) {
  return fail_from(VIR_FROM_STORAGE, VIR_ERR_SYSTEM_ERROR, "Cannot access storage file '" + path + "'" + what);
}

// Before the change: what the file's attribute is to say.
Result<Memory> next_memory(const File& file, const std::string& path, const Tenant& tenant) {
  const auto wanted = owner_of(tenant.user);
  auto memory = file.memory();
  if (!memory || file.owner() != memory->lent(tenant.user))
    memory = Memory{.owner = file.owner(), .lent_to = wanted, .boot_id = {}, .lives = {}};
  if (memory->boot_id != tenant.boot_id) {
    memory->boot_id = tenant.boot_id;
    memory->lives.clear();
  }
  const auto lent = memory->lent(tenant.user);
  const bool mine_alone = std::ranges::all_of(memory->lives, [&](const auto& life) { return life == tenant.life; });
  if (lent != wanted && !mine_alone)
    return fail_from(
        VIR_FROM_STORAGE, VIR_ERR_OPERATION_INVALID,
        fmt::format("'{}' belongs to {}:{} for the guests that use it now, and this guest's user is {}:{}; give all of "
                    "them the same <seclabel model='dac'>, or say <seclabel model='dac' relabel='no'/> in the disk's "
                    "<source>",
                    path, lent.uid, lent.gid, wanted.uid, wanted.gid));
  memory->lent_to = wanted;
  if (std::ranges::find(memory->lives, tenant.life) == memory->lives.end()) memory->lives.push_back(tenant.life);
  return std::move(*memory);
}

Result<void> take(const File& file, const std::string& path, const Tenant& tenant) {
  if (auto fault = fault::at("dac.remember"); !fault) return fault;
  auto memory = next_memory(file, path, tenant);
  if (!memory) return pass_on(memory);
  if (!file.remember(*memory, tenant.user))
    return fail_errno(errno,
                      fmt::format("the owner of '{}' cannot be remembered, so it is not changed; give it to user "
                                  "{} for good (chown), or put it on a file system with extended attributes",
                                  path, tenant.user.user));
  if (auto fault = fault::at("dac.chown"); !fault) return fault;
  const auto wanted = owner_of(tenant.user);
  if (file.owner() == wanted || file.change_owner(wanted)) return {};
  return fail_errno(errno, fmt::format("cannot give '{}' to user {}", path, tenant.user.user));
}

}  // namespace

Result<void> check_access(const std::string& path, bool write, const Credentials& user) {
  const int wanted = write ? R_OK | W_OK : R_OK;
  const int error = try_access(user, path, wanted);
  if (error == 0) return {};
  const auto denial = find_denial(user, {.path = path, .wanted = wanted});
  const bool explained = denial && (denial->rule == "mode" || denial->rule == "acl");
  return no_access(path, fmt::format(" (as uid:{}, gid:{}): {}{}", user.uid, user.gid, std::strerror(error),
                                     explained ? "; " + denial->why : ""));
}

Result<void> give(const std::string& path, bool write, const Tenant& tenant) {
  Result<void> done;
  {
    File file(path);
    if (file.error() != 0) return no_access(path, std::string(": ") + std::strerror(file.error()));
    auto turn = turn_at(file, path, tenant);
    if (!turn) return pass_on(turn);
    file.look();
    const bool shared = file.memory().has_value();
    // What root can reach tells nothing: QEMU has none of root's capabilities.
    const bool reachable = tenant.user.uid != 0 && try_access(tenant.user, path, write ? R_OK | W_OK : R_OK) == 0;
    const bool enough = file.owner() == owner_of(tenant.user) || (reachable && !write);
    if (file.can_change_owner() && (shared || !enough)) done = take(file, path, tenant);
    // What the user can use as it is needs no change: where nothing can be remembered, or others have it.
    if (!done && reachable && (!file.memory() || done.error().code == VIR_ERR_OPERATION_INVALID)) done = {};
  }
  if (done) done = check_access(path, write, tenant.user);
  if (!done)
    if (auto back = give_back(path, tenant); !back) done.error().detail += "; " + back.error().detail;
  return done;
}

Result<void> give_back(const std::string& path, const Tenant& tenant) {
  File file(path);
  if (file.error() != 0) return {};  // gone, and its owner with it
  auto turn = turn_at(file, path, tenant);
  if (!turn) return pass_on(turn);
  file.look();
  auto memory = file.memory();
  if (!memory) return {};
  const bool was_mine = std::erase(memory->lives, tenant.life) > 0;
  if (memory->boot_id == tenant.boot_id && !memory->lives.empty()) {
    if (!was_mine || file.remember(*memory, tenant.user)) return {};
    return fail_errno(errno, "cannot write down who uses '" + path + "'");
  }
  if (auto fault = fault::at("dac.give_back"); !fault) return fault;
  // Somebody else's choice of an owner, made meanwhile, stands.
  const auto& owner = memory->owner;
  if (file.owner() == memory->lent(tenant.user) && !file.change_owner(owner))
    return fail_errno(errno, fmt::format("cannot give '{}' back to its owner {}:{}", path, owner.uid, owner.gid));
  if (auto fault = fault::at("dac.forget"); !fault) return fault;
  if (!file.forget()) return fail_errno(errno, "cannot remove the attribute of '" + path + "'");
  return {};
}

}  // namespace vireo::security
