// Names by pattern, as a shell has them: * for any text, ? for any one character, [a-z] for one of a set, [!a-z] for
// one outside it; a backslash takes the special meaning from the next. The whole name must fit. Pure, and at most as
// many steps as the two texts' lengths multiplied, whatever the pattern.
#pragma once

#include <string_view>

namespace vireo::model {

bool glob_matches(std::string_view pattern, std::string_view name);

}  // namespace vireo::model
