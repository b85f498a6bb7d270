// The lines above the list: the host, and how many guests there are. Pure.
#pragma once

#include "cli/top/guest_list.hpp"

namespace vireo::cli::top {

// At most two lines, each no wider than the screen.
std::vector<std::string> header(const GuestList& list, int width);

}  // namespace vireo::cli::top
