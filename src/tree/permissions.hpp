// Who may do what with a node, and who asks. A node's list names its owner first, whose letter holds for everybody that
// the rest of the list does not name; the owner itself may do all. As xenstore has it (docs/misc/xenstore.txt).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::tree {

using DomainId = std::uint32_t;

// Bits, as they combine: b is r and w.
enum class Rights : std::uint8_t { none = 0, read = 1, write = 2, both = 3 };
constexpr bool allow(Rights given, Rights wanted) {
  return (static_cast<unsigned>(given) & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
}

struct Permission {
  DomainId domain = 0;
  Rights rights = Rights::none;
  bool operator==(const Permission&) const = default;

  // "r5" and back: one of r, w, b, n and a decimal id. Empty where the text is none.
  static std::optional<Permission> parse(std::string_view text);
  std::string text() const;
};
using Permissions = std::vector<Permission>;  // never empty; the first names the owner

// On whose behalf something is done.
struct Caller {
  DomainId domain = 0;
  std::optional<DomainId> target = {};  // whose rights it has besides its own (SET_TARGET)

  // Domain 0, which may do everything; so is whoever reaches the daemon's socket.
  bool privileged() const { return domain == 0; }
  bool is(DomainId id) const { return id == domain || id == target; }
};

bool owns(const Caller& caller, const Permissions& permissions);
bool allows(const Permissions& permissions, const Caller& caller, Rights wanted);

}  // namespace vireo::tree
