// What a guest's metadata ask of Vireo itself: the element <guest> of the namespace urn:vireo:guest:1. What else stands
// in it is somebody else's, or a later version's, and is left alone. Pure.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "model/definition.hpp"

namespace vireo::xml {

inline constexpr std::string_view kGuestNamespace = "urn:vireo:guest:1";

// <up console="TEXT" network="yes"/>, either of them or both; nothing where there is no such element. Error:
// VIR_ERR_XML_ERROR when neither is said, when the text is empty, longer than 256 bytes or of several lines, or when
// network is neither yes nor no.
Result<model::UpWishes> up_wishes_of(const std::vector<model::MetadataElement>& metadata);

}  // namespace vireo::xml
