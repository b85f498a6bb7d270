// What the tree's refusals mean for the one who asked, and how values are shown. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace vireo::cli::tree {

// `verb` is "get", "set", "rm", "watch" or "ls"; `refusal` the name of an errno value as the protocol sends it.
std::unexpected<Error> refused(std::string_view refusal, std::string_view verb, const std::string& path);

// On one line: what does not print is escaped as in C ("\n", "\x1b", "\\"). Texts in UTF-8 stay as they are.
std::string on_one_line(std::string_view value);

// Whether the text is valid UTF-8, as JSON wants it.
bool is_utf8(std::string_view text);

}  // namespace vireo::cli::tree
