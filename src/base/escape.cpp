// One pass over the text.
#include "base/escape.hpp"

namespace vireo {

std::string escaped(std::string_view text, Replacements replacements) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const std::string_view* replacement = nullptr;
    for (const auto& [special, by] : replacements)
      if (c == special) replacement = &by;
    if (replacement)
      out += *replacement;
    else
      out += c;
  }
  return out;
}

}  // namespace vireo
