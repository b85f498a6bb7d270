// One pass over the name; when it does not go on, the last star takes one character more. An earlier star never has to.
#include "model/glob.hpp"

#include <optional>

namespace vireo::model {
namespace {

constexpr auto npos = std::string_view::npos;

// Whether the set that begins at `at` ("[") holds the character, and where the pattern goes on. Nothing: the bracket is
// never closed and stands for itself.
struct InSet {
  bool holds;
  std::size_t next;
};
std::optional<InSet> look_in_set(std::string_view pattern, std::size_t at, char c) {
  const auto code = [](char each) { return static_cast<unsigned char>(each); };
  std::size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool holds = false;
  for (const std::size_t first = i; i < pattern.size(); ++i) {
    if (pattern[i] == ']' && i != first) return InSet{.holds = holds != negated, .next = i + 1};
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    const char low = pattern[i];
    char high = low;
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      i += 2;
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      high = pattern[i];
    }
    holds = holds || (code(low) <= code(c) && code(c) <= code(high));
  }
  return std::nullopt;
}

// Where the pattern goes on after one character that fits; npos: it does not fit.
std::size_t after_one(std::string_view pattern, std::size_t at, char c) {
  if (pattern[at] == '?') return at + 1;
  if (pattern[at] == '[')
    if (const auto set = look_in_set(pattern, at, c)) return set->holds ? set->next : npos;
  if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
  return pattern[at] == c ? at + 1 : npos;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view name) {
  std::size_t at = 0, i = 0;
  std::size_t star = npos, star_took_to = 0;  // after the last star; up to where in the name it reaches
  while (i < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = ++at;
      star_took_to = i;
    } else if (const auto next = at < pattern.size() ? after_one(pattern, at, name[i]) : npos; next != npos) {
      at = next;
      ++i;
    } else if (star != npos) {
      at = star;
      i = ++star_took_to;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace vireo::model
