// What libvirt's schema knows: which attributes, values and children an element may have. Vireo asks it about parts of
// a document that no binding read, to tell "known but not honoured yet" (refused by name) from "unknown to libvirt"
// (ignored, as libvirt does). The table is generated from the RelaxNG files by tools/gen-known-elements. Pure.
#pragma once

#include <string_view>

namespace vireo::xml {

// Elements are named with their parent: element "source" below "disk"; the root's parent is "".
bool schema_knows_child(std::string_view parent, std::string_view element, std::string_view child);
bool schema_knows_attribute(std::string_view parent, std::string_view element, std::string_view attribute);
// Whether the schema lists this value for the attribute.
bool schema_knows_value(std::string_view parent, std::string_view element, std::string_view attribute,
                        std::string_view value);

}  // namespace vireo::xml
