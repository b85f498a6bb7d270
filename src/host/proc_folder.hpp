// Entries of folders below /proc.
#pragma once

#include <string>
#include <vector>

namespace vireo::host {

// The numbered entries of a folder.
std::vector<int> numbers_in(const std::string& folder);
// Where a symbolic link leads; empty: it is none.
std::string target_of(const std::string& link);

}  // namespace vireo::host
