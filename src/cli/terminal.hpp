// What standard output is: how much room there is, and which characters are seen as what they are.
#pragma once

#include <cstddef>

namespace vireo::cli {

struct TerminalSize {
  std::size_t columns = 80, lines = 24;  // what is no terminal is taken to be of the usual size
};
TerminalSize terminal_size();

bool is_terminal();

// Whether block characters will be seen as such: it is a terminal, of a locale of UTF-8.
bool shows_blocks();

}  // namespace vireo::cli
