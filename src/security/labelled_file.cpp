// Memory first, label second, and back in the opposite order: a daemon that is killed in between leaves a file whose
// memory still says what its label was.
#include "security/labelled_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sstream>
#include <vector>

#include "base/fault.hpp"
#include "base/fd.hpp"
#include "security/file_turns.hpp"

namespace vireo::security {

namespace {

// As the attribute has it: "1 FORMER-LABEL LABEL BOOT-ID GUEST GUEST …"; "-" is no label.
struct Memory {
  std::string former, label, boot_id;
  std::vector<std::string> lives;

  std::string text() const {
    std::string out = fmt::format("1 {} {} {}", former.empty() ? "-" : former, label, boot_id);
    for (const auto& life : lives) out += " " + life;
    return out;
  }
  static std::optional<Memory> parse(const std::string& text) {
    std::istringstream words(text);
    Memory memory;
    int form = 0;
    if (!(words >> form >> memory.former >> memory.label >> memory.boot_id) || form != 1) return std::nullopt;
    if (memory.former == "-") memory.former.clear();
    for (std::string life; words >> life;) memory.lives.push_back(life);
    return memory;
  }
};

class File {
 public:
  File(const std::string& path, const LabelAttributes& names)
      : fd_(::open(path.c_str(), O_PATH | O_CLOEXEC)), names_(names) {
    if (!fd_ || ::fstat(fd_.get(), &stat_) < 0) error_ = errno;
    by_handle_ = "/proc/self/fd/" + std::to_string(fd_.get());
  }
  int error() const { return error_; }
  const struct stat& stat() const { return stat_; }

  std::string label() const {
    auto text = get(names_.label).value_or("");
    while (!text.empty() && text.back() == '\0') text.pop_back();  // the kernel's ends with one
    return text;
  }
  bool set_label(const std::string& label) const {
    if (label.empty()) return ::removexattr(by_handle_.c_str(), names_.label.c_str()) == 0 || errno == ENODATA;
    return set(names_.label, label);
  }
  std::optional<Memory> memory() const {
    const auto text = get(names_.memory);
    return text ? Memory::parse(*text) : std::nullopt;
  }
  bool remember(const Memory& memory) const { return set(names_.memory, memory.text()); }
  bool forget() const { return ::removexattr(by_handle_.c_str(), names_.memory.c_str()) == 0 || errno == ENODATA; }

 private:
  std::optional<std::string> get(const std::string& name) const {
    std::string text(65536, '\0');
    const auto size = ::getxattr(by_handle_.c_str(), name.c_str(), text.data(), text.size());
    if (size < 0) return std::nullopt;
    text.resize(static_cast<std::size_t>(size));
    return text;
  }
  bool set(const std::string& name, const std::string& text) const {
    return ::setxattr(by_handle_.c_str(), name.c_str(), text.data(), text.size(), 0) == 0;
  }

  Fd fd_;
  const LabelAttributes& names_;
  struct stat stat_{};
  int error_ = 0;
  std::string by_handle_;
};

Result<FileTurns::Turn> turn_at(const File& file, const std::string& path, const LabelTenant& tenant) {
  return FileTurns::of_process().take(file.stat().st_dev, file.stat().st_ino, path, tenant.deadline);
}

Result<Memory> next_memory(const File& file, const std::string& path, const std::string& label,
                           const LabelTenant& tenant) {
  const auto now = file.label();
  auto memory = file.memory();
  if (!memory || now != memory->label) memory = Memory{.former = now, .label = label, .boot_id = {}, .lives = {}};
  if (memory->boot_id != tenant.boot_id) {
    memory->boot_id = tenant.boot_id;
    memory->lives.clear();
  }
  const bool mine_alone = std::ranges::all_of(memory->lives, [&](const auto& life) { return life == tenant.life; });
  if (memory->label != label && !mine_alone)
    return fail_from(VIR_FROM_SECURITY, VIR_ERR_OPERATION_INVALID,
                     fmt::format("'{}' has the label {} for the guests that use it now, and this guest's is {}", path,
                                 memory->label, label));
  memory->label = label;
  if (std::ranges::find(memory->lives, tenant.life) == memory->lives.end()) memory->lives.push_back(tenant.life);
  return std::move(*memory);
}

Result<void> take(const File& file, const std::string& path, const std::string& label, const LabelTenant& tenant) {
  if (auto fault = fault::at("label.remember"); !fault) return fault;
  auto memory = next_memory(file, path, label, tenant);
  if (!memory) return pass_on(memory);
  if (!file.remember(*memory))
    return fail_errno(errno, "the label of '" + path + "' cannot be remembered, so it is not changed");
  if (auto fault = fault::at("label.set"); !fault) return fault;
  if (file.label() == label || file.set_label(label)) return {};
  return fail_errno(errno, fmt::format("cannot label '{}' as {}", path, label));
}

}  // namespace

std::string label_of(const std::string& path, const LabelAttributes& attributes) {
  const File file(path, attributes);
  return file.error() == 0 ? file.label() : std::string();
}

Result<void> set_label(const std::string& path, const std::string& label, const LabelTenant& tenant) {
  Result<void> done;
  {
    const File file(path, tenant.attributes);
    if (file.error() != 0) return fail_errno(file.error(), "Cannot access storage file '" + path + "'");
    auto turn = turn_at(file, path, tenant);
    if (!turn) return pass_on(turn);
    done = take(file, path, label, tenant);
  }
  if (!done)
    if (auto back = put_label_back(path, tenant); !back) done.error().detail += "; " + back.error().detail;
  return done;
}

Result<void> put_label_back(const std::string& path, const LabelTenant& tenant) {
  const File file(path, tenant.attributes);
  if (file.error() != 0) return {};  // gone, and its label with it
  auto turn = turn_at(file, path, tenant);
  if (!turn) return pass_on(turn);
  auto memory = file.memory();
  if (!memory) return {};
  const bool was_mine = std::erase(memory->lives, tenant.life) > 0;
  if (memory->boot_id == tenant.boot_id && !memory->lives.empty()) {
    if (!was_mine || file.remember(*memory)) return {};
    return fail_errno(errno, "cannot write down who uses '" + path + "'");
  }
  if (auto fault = fault::at("label.put_back"); !fault) return fault;
  // Somebody else's choice of a label, made meanwhile, stands.
  if (file.label() == memory->label && !file.set_label(memory->former))
    return fail_errno(errno, fmt::format("cannot label '{}' as {} again", path, memory->former));
  if (!file.forget()) return fail_errno(errno, "cannot remove the attribute of '" + path + "'");
  return {};
}

}  // namespace vireo::security
