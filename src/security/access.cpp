// The kernel's order: the owner's bits for the owner, else the list's entry for the user, else the best of the groups',
// else what everybody else may.
#include "security/access.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <deque>

namespace vireo::security {

namespace {

std::string letters(int permissions) {
  std::string text;
  if (permissions & R_OK) text += 'r';
  if (permissions & W_OK) text += 'w';
  if (permissions & X_OK) text += 'x';
  return text;
}

std::string triple(unsigned permissions) {
  std::string text = "---";
  if (permissions & R_OK) text[0] = 'r';
  if (permissions & W_OK) text[1] = 'w';
  if (permissions & X_OK) text[2] = 'x';
  return text;
}

bool in_group(const Credentials& who, gid_t gid) {
  return who.gid == gid || std::ranges::find(who.groups, gid) != who.groups.end();
}

Verdict by_mode(const Inode& inode, unsigned shift, const char* whom, int wanted) {
  const auto missing = wanted & ~static_cast<int>(inode.mode >> shift & 7U);
  if (missing == 0) return {};
  return {.allowed = false,
          .rule = "mode",
          .why = fmt::format("its mode {:04o} gives {} no {} (it belongs to {}:{})", inode.mode & 07777U, whom,
                             letters(missing), inode.uid, inode.gid)};
}

Verdict by_entry(const AclEntry& entry, const char* kind, std::optional<unsigned> mask, int wanted) {
  const unsigned effective = mask ? entry.permissions & *mask : entry.permissions;
  const auto missing = wanted & ~static_cast<int>(effective);
  if (missing == 0) return {};
  const bool masked = mask && (wanted & ~static_cast<int>(entry.permissions)) == 0;
  const bool named = entry.tag == AclEntry::User || entry.tag == AclEntry::Group;
  const auto id = named ? std::to_string(entry.id) : std::string();
  return {.allowed = false,
          .rule = "acl",
          .why = fmt::format("the entry {}:{}:{} of its access control list{} gives no {}", kind, id,
                             triple(entry.permissions), masked ? fmt::format(", cut by mask::{},", triple(*mask)) : "",
                             letters(missing))};
}

}  // namespace

std::optional<std::vector<AclEntry>> parse_acl(std::span<const std::byte> attribute) {
  constexpr std::size_t kHead = 4, kEntry = 8;
  const auto number = [&](std::size_t at, std::size_t bytes) {  // little endian
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value |= std::to_integer<std::uint32_t>(attribute[at + i]) << (8 * i);
    return value;
  };
  if (attribute.size() < kHead || (attribute.size() - kHead) % kEntry != 0 || number(0, 4) != 2) return std::nullopt;
  std::vector<AclEntry> entries;
  for (std::size_t at = kHead; at < attribute.size(); at += kEntry)
    entries.push_back({.tag = static_cast<std::uint16_t>(number(at, 2)),
                       .permissions = static_cast<std::uint16_t>(number(at + 2, 2)),
                       .id = number(at + 4, 4)});
  return entries;
}

Verdict judge(const Credentials& who, const Inode& inode, int wanted) {
  if (who.uid == inode.uid) return by_mode(inode, 6, "its owner", wanted);
  if (inode.acl.empty())
    return in_group(who, inode.gid) ? by_mode(inode, 3, "its group", wanted) : by_mode(inode, 0, "others", wanted);
  std::optional<unsigned> mask;
  for (const auto& entry : inode.acl)
    if (entry.tag == AclEntry::Mask) mask = entry.permissions;
  for (const auto& entry : inode.acl)
    if (entry.tag == AclEntry::User && entry.id == who.uid) return by_entry(entry, "user", mask, wanted);
  std::optional<Verdict> of_groups;
  for (const auto& entry : inode.acl) {
    const bool owning = entry.tag == AclEntry::OwningGroup && in_group(who, inode.gid);
    const bool named = entry.tag == AclEntry::Group && in_group(who, entry.id);
    if (!owning && !named) continue;
    auto verdict = by_entry(entry, "group", mask, wanted);
    if (verdict.allowed) return verdict;
    if (!of_groups) of_groups = std::move(verdict);
  }
  if (of_groups) return std::move(*of_groups);
  for (const auto& entry : inode.acl)
    if (entry.tag == AclEntry::Other) return by_entry(entry, "other", std::nullopt, wanted);
  return by_mode(inode, 0, "others", wanted);
}

namespace {

Inode inode_of(const std::string& path, const struct stat& info) {
  Inode inode{.uid = info.st_uid, .gid = info.st_gid, .mode = info.st_mode};
  std::vector<std::byte> room(65536);
  const auto size = ::getxattr(path.c_str(), "system.posix_acl_access", room.data(), room.size());
  if (size > 0)
    if (auto acl = parse_acl(std::span(room).first(static_cast<std::size_t>(size)))) inode.acl = std::move(*acl);
  return inode;
}

std::string what_is(const struct stat& info) { return S_ISDIR(info.st_mode) ? "folder" : "file"; }

std::string user_text(const Credentials& who) { return who.user.empty() ? std::to_string(who.uid) : who.user; }

// A walk from the root: what is left of the path, and how far it came.
class Walk {
 public:
  Walk(const Credentials& who, const Question& question) : who_(who), question_(question) { push(question.path); }

  std::optional<Denial> run() {
    std::string at = "/";
    for (unsigned links = 0; !parts_.empty();) {
      const auto part = std::move(parts_.front());
      parts_.pop_front();
      if (auto denial = pass_through(at)) return denial;
      if (part == "..") {
        at = at.substr(0, std::max<std::size_t>(at.rfind('/'), 1));
        continue;
      }
      const auto next = at == "/" ? "/" + part : at + "/" + part;
      struct stat info{};
      if (::lstat(next.c_str(), &info) < 0) return missing(at, next, errno);
      if (S_ISLNK(info.st_mode)) {
        constexpr unsigned kMostLinks = 40;  // the kernel's own limit
        if (++links > kMostLinks) return Denial{.component = next, .rule = "error", .why = std::strerror(ELOOP)};
        std::string target(PATH_MAX, '\0');
        const auto size = ::readlink(next.c_str(), target.data(), target.size());
        if (size < 0) return Denial{.component = next, .rule = "error", .why = std::strerror(errno)};
        target.resize(static_cast<std::size_t>(size));
        if (target.starts_with('/')) at = "/";
        push(target);
        continue;
      }
      at = next;
    }
    return end(at);
  }

 private:
  void push(const std::string& path) {
    std::deque<std::string> parts;
    for (std::size_t from = 0; from < path.size();) {
      const auto slash = std::min(path.find('/', from), path.size());
      if (const auto part = path.substr(from, slash - from); !part.empty() && part != ".") parts.push_back(part);
      from = slash + 1;
    }
    parts_.insert(parts_.begin(), parts.begin(), parts.end());
  }

  std::optional<Denial> pass_through(const std::string& folder) {
    struct stat info{};
    if (::stat(folder.c_str(), &info) < 0)
      return Denial{.component = folder, .rule = "error", .why = std::strerror(errno)};
    if (!S_ISDIR(info.st_mode))
      return Denial{.component = folder, .rule = "missing", .why = fmt::format("'{}' is no folder", folder)};
    auto verdict = judge(who_, inode_of(folder, info), X_OK);
    if (verdict.allowed) return std::nullopt;
    return Denial{
        .component = folder,
        .rule = verdict.rule,
        .why = fmt::format("the folder '{}' does not let user {} through: {}", folder, user_text(who_), verdict.why)};
  }

  std::optional<Denial> missing(const std::string& folder, const std::string& path, int error) {
    if (error != ENOENT)
      return Denial{.component = path,
                    .rule = "error",
                    .why = fmt::format("'{}' cannot be looked at: {}", path, std::strerror(error))};
    if (!parts_.empty() || !question_.may_create)
      return Denial{.component = path, .rule = "missing", .why = fmt::format("there is no '{}'", path)};
    struct stat info{};
    if (::stat(folder.c_str(), &info) < 0) return std::nullopt;
    auto verdict = judge(who_, inode_of(folder, info), W_OK | X_OK);
    if (verdict.allowed) return std::nullopt;
    return Denial{.component = folder,
                  .rule = verdict.rule,
                  .why = fmt::format("there is no '{}', and user {} cannot make it in the folder '{}': {}", path,
                                     user_text(who_), folder, verdict.why)};
  }

  std::optional<Denial> end(const std::string& path) {
    struct stat info{};
    if (::stat(path.c_str(), &info) < 0) return missing("/", path, errno);
    auto inode = inode_of(path, info);
    if (question_.lent) {
      inode.uid = who_.uid;
      inode.gid = who_.gid;
    }
    auto verdict = judge(who_, inode, question_.wanted);
    if (verdict.allowed) return std::nullopt;
    return Denial{
        .component = path,
        .rule = verdict.rule,
        .why = fmt::format("the {} '{}' is closed to user {}: {}", what_is(info), path, user_text(who_), verdict.why)};
  }

  const Credentials& who_;
  const Question& question_;
  std::deque<std::string> parts_;
};

}  // namespace

std::optional<Denial> find_denial(const Credentials& who, const Question& question) {
  auto denial = Walk(who, question).run();
  // Nobody can be asked for a file that will have another owner or that is not there yet; root's process has no
  // capabilities, while a thread of the daemon that asks as root has them.
  const bool can_ask = !question.lent && who.uid != 0 && !(question.may_create && !denial);
  if (!can_ask) return denial;
  const int error = try_access(who, question.path, question.wanted);
  if (error == 0) return std::nullopt;
  if (denial) return denial;
  return Denial{
      .component = question.path,
      .rule = error == EROFS ? "read-only" : "error",
      .why = fmt::format("'{}' is closed to user {}: {}", question.path, user_text(who), std::strerror(error))};
}

}  // namespace vireo::security
