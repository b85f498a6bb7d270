// The gate before the XML parser. pugixml is fast and lenient: it takes duplicate attributes, control bytes, broken
// UTF-8, a DOCTYPE, text after the root and any depth of nesting. This pass reads a document once and lets through only
// what is well formed and of bounded size; the parser behind it never sees anything else. Pure.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/error.hpp"

namespace vireo::xml {

inline constexpr std::size_t max_document_bytes = 4 * 1024 * 1024;
inline constexpr int max_document_depth = 256;
// What reads a document may look at each of these once for each other of the same element: no definition comes near.
inline constexpr std::size_t max_attributes = 256;
inline constexpr std::size_t max_children = 16 * 1024;

// Fails with VIR_ERR_XML_DETAIL from VIR_FROM_DOMAIN, as libvirt does for a definition that cannot be parsed. The
// message names line and column, repeats the line and points at the place.
Result<void> check_document(std::string_view text);

}  // namespace vireo::xml
