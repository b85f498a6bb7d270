// What clients may change of a running guest's part of the tree, and what they can ask of a guest there. Pure.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_set>

#include "base/uuid.hpp"
#include "presence/place.hpp"
#include "tree/change.hpp"

namespace vireo::presence {

// What can be asked by writing to /local/domain/ID/control/shutdown.
enum class Request {
  shutdown,  // "poweroff", "halt"
  reboot,    // "reboot"
};
// Empty: no such request. Xen's "suspend" is none either: it means to save the guest.
std::optional<Request> request_of(std::string_view word);
inline constexpr std::string_view request_path = "control/shutdown";

// Who runs.
struct Running {
  std::unordered_set<tree::DomainId> ids;
  std::unordered_set<Uuid> uuids;

  // As a path spells it.
  bool has(std::string_view uuid) const {
    const auto parsed = Uuid::parse(uuid);
    return parsed && uuids.contains(*parsed) && parsed->text() == uuid;
  }
};

// 0: it may be done; or the errno to refuse it with. EROFS: the daemon keeps it. EINVAL: no such request.
int refusal(tree::Path path, tree::Change::Kind kind, std::string_view value, const Running& running);

}  // namespace vireo::presence
