// Whether a history can be explained: whether there is an order of its calls in which each takes effect in one moment
// between its beginning and its end, and every answer is the one that the sequential host would give. A search through
// the orders (Wing and Gong, "Testing and verifying concurrent objects", 1993) that never looks twice at the same set
// of calls done with the same state (Lowe, "Testing for linearizability", 2017).
#pragma once

#include "tests/histories/history.hpp"

namespace vireo::tests {

// At most 64 calls. Begins with a host without guests. The calls' `ended` of those that never ended is the moment after
// which they cannot have taken effect any more.
bool linearizable(const History& history);

}  // namespace vireo::tests
