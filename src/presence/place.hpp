// Which guest a path of the tree is about. Guests have three places there, as Xen's published paths have them: a home,
// the other ends of its devices below domain 0's backends, and what is said of the machine as such. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "tree/path.hpp"
#include "tree/permissions.hpp"

namespace vireo::presence {

struct Place {
  enum class Kind {
    home,     // /local/domain/ID
    backend,  // /local/domain/0/backend/KIND/ID
    machine,  // /vm/UUID, or /vm itself
  };
  Kind kind = Kind::home;
  tree::DomainId id = 0;         // of home and backend
  std::string_view uuid = {};    // of machine; empty: /vm itself
  std::string_view inside = {};  // where in there, such as "control/shutdown"; empty: the place as such
};

// Empty: the path is about no guest. Whether such a guest exists is not asked.
std::optional<Place> place_of(tree::Path path);

// Whether what is there comes and goes with a guest, of now or of any time: ids are never used again.
inline bool belongs_to_guest(tree::Path path) { return place_of(path).has_value(); }

}  // namespace vireo::presence
