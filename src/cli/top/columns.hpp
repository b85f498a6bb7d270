// The columns of `vireo top`: what each shows of a guest, how wide it is, and what it sorts by. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/top/figures.hpp"

namespace vireo::cli::top {

struct Column {
  std::string_view key;    // how it is chosen on the command line: "cpu"
  std::string_view title;  // at its head
  int width;               // 0: what is left, at least
  bool right;              // its text ends at its right edge
  bool only_wide;          // left out where there is little room
  bool largest_first;      // how it is sorted when it is chosen
  std::string (*text)(const Guest&);
  // Whether one comes before the other, smallest first; what is not known is smallest of all.
  bool (*less)(const Guest&, const Guest&);
};

std::span<const Column> columns();
// Its place; empty: there is none of that key.
std::optional<std::size_t> column_of(std::string_view key);

// The columns that fit, and how wide each is, one space apart.
struct Placed {
  std::size_t column;
  int width;
};
std::vector<Placed> layout(int screen_width);

// "0", "999", "1.2K", "123M": at most four characters, of 1024.
std::string amount_text(double number);
std::string percent_text(std::optional<double> percent);
// "|||   "
std::string bar_text(double share, int width);
// Exactly so many columns: cut, or filled with spaces.
std::string fitted(std::string_view text, int width, bool right = false);

}  // namespace vireo::cli::top
