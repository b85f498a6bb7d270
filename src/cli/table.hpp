// Columns of text. Pure.
#pragma once

#include <string>
#include <vector>

namespace vireo::cli {

using Table = std::vector<std::vector<std::string>>;

// One line per row, columns two spaces apart and as wide as their widest text, no spaces at the ends of lines.
std::string aligned(const Table& table);

// How many columns a text takes on a terminal, counting code points of UTF-8.
std::size_t width_of(std::string_view text);

}  // namespace vireo::cli
