// Looks things up in the generated table of libvirt's schema.
#include "xml/known.hpp"

#include <algorithm>

namespace vireo::xml {
namespace {

struct Known {
  std::string_view element;     // "disk/source"
  std::string_view attributes;  // "bus=ide|scsi dev": each with the values that the schema lists for it
  std::string_view children;    // "mirror source"
};

// Sorted by element.
constexpr Known table[] = {
#include "xml/known_table.inc"
};

const Known* find(std::string_view parent, std::string_view element) {
  const std::string key = fmt::format("{}/{}", parent, element);
  const auto* const row = std::ranges::lower_bound(table, std::string_view(key), {}, &Known::element);
  return row != std::end(table) && row->element == key ? row : nullptr;
}

// The word of a list that begins with `head` and ends there or at `mark`; what follows the mark is its rest.
bool find_word(std::string_view words, char separator, std::string_view head, char mark, std::string_view& rest) {
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(separator));
    words.remove_prefix(std::min(words.size(), word.size() + 1));
    if (!word.starts_with(head)) continue;
    if (word.size() == head.size()) return rest = {}, true;
    if (mark != '\0' && word[head.size()] == mark) return rest = word.substr(head.size() + 1), true;
  }
  return false;
}

}  // namespace

bool schema_knows_child(std::string_view parent, std::string_view element, std::string_view child) {
  const Known* const row = find(parent, element);
  std::string_view rest;
  return row != nullptr && find_word(row->children, ' ', child, '\0', rest);
}

bool schema_knows_attribute(std::string_view parent, std::string_view element, std::string_view attribute) {
  const Known* const row = find(parent, element);
  std::string_view rest;
  return row != nullptr && find_word(row->attributes, ' ', attribute, '=', rest);
}

bool schema_knows_value(std::string_view parent, std::string_view element, std::string_view attribute,
                        std::string_view value) {
  const Known* const row = find(parent, element);
  std::string_view values, rest;
  return row != nullptr && find_word(row->attributes, ' ', attribute, '=', values) &&
         find_word(values, '|', value, '\0', rest);
}

}  // namespace vireo::xml
