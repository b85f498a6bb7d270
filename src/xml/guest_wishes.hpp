// What a guest's metadata ask of Vireo itself: the element <guest> of the namespace urn:vireo:guest:1. What else stands
// in it is somebody else's, or a later version's, and is left alone. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "model/definition.hpp"

namespace vireo::xml {

inline constexpr std::string_view kGuestNamespace = "urn:vireo:guest:1";

// The text of <up console="TEXT"/>: what the guest's console prints once the guest is up; empty if there is none.
// Error: VIR_ERR_XML_ERROR when the text is missing, empty, longer than 256 bytes or of several lines.
Result<std::string> up_console_of(const std::vector<model::MetadataElement>& metadata);

}  // namespace vireo::xml
