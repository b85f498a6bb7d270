// A launch as a waterfall: a line for each step with when it began, how long it took, and a bar that shows where in the
// whole it lies. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vireo::cli {

struct Step {
  std::string name;
  std::int64_t begin_us = 0, end_us = 0;
};

// `columns`: how wide a line may be; bars shrink to fit, and are left out below 40. `plain`: bars of '#' instead of
// block characters, for what is not a terminal or not UTF-8.
std::string waterfall(const std::vector<Step>& steps, std::size_t columns, bool plain);

// "0.4 ms", "12.3 ms", "1.25 s"
std::string duration_text(std::int64_t us);

}  // namespace vireo::cli
