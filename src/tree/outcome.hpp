// How an operation on the tree ends: with a value, or with an errno of those that xs_wire.h names.
#pragma once

#include <expected>

namespace vireo::tree {

template <class T>
using Outcome = std::expected<T, int>;

inline std::unexpected<int> refuse(int error) { return std::unexpected(error); }

}  // namespace vireo::tree
