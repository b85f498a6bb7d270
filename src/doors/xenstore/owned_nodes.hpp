// The topmost nodes that a domain owns. Looks at the whole tree, so only for a domain that is known to own some.
#pragma once

#include <string>
#include <vector>

#include "tree/node.hpp"

namespace vireo::doors::xenstore {

std::vector<std::string> owned_nodes(const tree::Node& root, tree::DomainId owner);

}  // namespace vireo::doors::xenstore
