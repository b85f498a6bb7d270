// Everyday guests of vireod's test driver, by the thousand.
#pragma once

#include <string>
#include <vector>

#include "server.hpp"

namespace vireo::bench {

std::string flat_name(int n);
// Without an image, which would have to be there.
std::string flat_xml(int n);
// Defines and starts guests until there are as many.
Result<void> grow(virConnectPtr connection, std::vector<Guest>& guests, int count);

}  // namespace vireo::bench
