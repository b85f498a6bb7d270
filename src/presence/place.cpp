// Paths, taken apart from the left.
#include "presence/place.hpp"

#include <charconv>

namespace vireo::presence {
namespace {

// Takes the next part off a path without its first slash; empty when there is none.
std::string_view take(std::string_view& left) {
  const auto end = left.find('/');
  const auto part = left.substr(0, end);
  left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
  return part;
}

// A domain's id as it is written in paths: decimal, without zeros before it.
std::optional<tree::DomainId> domain_id(std::string_view text) {
  tree::DomainId id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || (text.size() > 1 && text.front() == '0')) return {};
  return id;
}

std::optional<Place> below_domains(std::string_view left) {
  const auto id = domain_id(take(left));
  if (!id) return {};
  if (*id != 0) return Place{.kind = Place::Kind::home, .id = *id, .inside = left};
  if (take(left) != "backend") return {};
  take(left);  // the kind of device
  const auto frontend = domain_id(take(left));
  if (!frontend || *frontend == 0) return {};
  return Place{.kind = Place::Kind::backend, .id = *frontend, .inside = left};
}

}  // namespace

std::optional<Place> place_of(tree::Path path) {
  auto left = path.text().substr(1);
  const auto first = take(left);
  if (first == "vm") {
    const auto uuid = take(left);
    return Place{.kind = Place::Kind::machine, .uuid = uuid, .inside = left};
  }
  if (first == "local" && take(left) == "domain") return below_domains(left);
  return {};
}

}  // namespace vireo::presence
