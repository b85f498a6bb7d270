// The rules, by place.
#include "presence/rules.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

namespace vireo::presence {
namespace {

using Kind = tree::Change::Kind;

// Whether guests' places may be below a path that is none of them itself.
bool above_guests(tree::Path path) {
  constexpr auto folders =
      std::to_array<std::string_view>({"/local", "/local/domain", "/local/domain/0", "/local/domain/0/backend"});
  return std::ranges::find(folders, path.text()) != folders.end() || path.parent().text() == folders.back();
}

// Folders that Xen's paths leave to the guest: what is in them is free, and they have values.
bool free_in_home(std::string_view inside, Kind kind) {
  constexpr auto folders = std::to_array<std::string_view>({"attr", "data", "drivers", "error", "feature"});
  const auto slash = inside.find('/');
  if (std::ranges::find(folders, inside.substr(0, slash)) == folders.end()) return false;
  return slash != std::string_view::npos || kind == Kind::written;
}

int refusal_in_home(std::string_view inside, Kind kind, std::string_view value) {
  if (free_in_home(inside, kind)) return 0;
  if (inside != request_path || kind != Kind::written) return EROFS;
  return value.empty() || request_of(value) ? 0 : EINVAL;
}

}  // namespace

std::optional<Request> request_of(std::string_view word) {
  if (word == "poweroff" || word == "halt") return Request::shutdown;
  if (word == "reboot") return Request::reboot;
  return {};
}

int refusal(tree::Path path, Kind kind, std::string_view value, const Running& running) {
  const auto place = place_of(path);
  if (!place) return kind == Kind::removed && above_guests(path) && !running.ids.empty() ? EROFS : 0;
  switch (place->kind) {
    case Place::Kind::home:
      return running.ids.contains(place->id) ? refusal_in_home(place->inside, kind, value) : 0;
    case Place::Kind::backend:
      return running.ids.contains(place->id) ? EROFS : 0;
    case Place::Kind::machine:
      if (place->uuid.empty()) return kind == Kind::removed && !running.ids.empty() ? EROFS : 0;
      return running.has(place->uuid) ? EROFS : 0;
  }
  return 0;
}

}  // namespace vireo::presence
