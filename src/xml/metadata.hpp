// The children of <metadata> belong to other applications: Vireo keeps them as they come and lays them out as libvirt
// does. Pure.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <vector>

#include "model/definition.hpp"

namespace vireo::xml {

// Elements without a namespace, and all but the first of one namespace, are left out, as libvirt does.
std::vector<model::MetadataElement> read_metadata(pugi::xml_node metadata);

// The element laid out at this depth (two spaces each), with a line break at its end.
std::string layout_metadata(const model::MetadataElement& element, int depth);

// The element as virDomainGetMetadata hands it out: without its namespace, which the caller named to get it. Elements
// of other namespaces inside keep theirs.
std::string metadata_without_namespace(const model::MetadataElement& element);

}  // namespace vireo::xml
