// How permissions read, and what they allow.
#include "tree/permissions.hpp"

#include <algorithm>
#include <charconv>

namespace vireo::tree {

std::optional<Permission> Permission::parse(std::string_view text) {
  static constexpr std::string_view letters = "nrwb";  // as Rights counts
  if (text.size() < 2) return {};
  const auto rights = letters.find(text.front());
  Permission out;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), out.domain);
  if (rights == std::string_view::npos || error != std::errc() || end != text.data() + text.size()) return {};
  out.rights = static_cast<Rights>(rights);
  return out;
}

std::string Permission::text() const { return "nrwb"[static_cast<std::size_t>(rights)] + std::to_string(domain); }

bool owns(const Caller& caller, const Permissions& permissions) {
  return caller.privileged() || caller.is(permissions.front().domain);
}

bool allows(const Permissions& permissions, const Caller& caller, Rights wanted) {
  if (owns(caller, permissions)) return true;
  const auto named = std::find_if(permissions.begin() + 1, permissions.end(),
                                  [&](const Permission& each) { return caller.is(each.domain); });
  return allow(named == permissions.end() ? permissions.front().rights : named->rights, wanted);
}

}  // namespace vireo::tree
