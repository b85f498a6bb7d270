// The children of <metadata> belong to other applications: Vireo keeps them as they come and lays them out as libvirt
// does. Pure.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "model/definition.hpp"

namespace vireo::xml {

// Elements without a namespace, and all but the first of one namespace, are left out, as libvirt does.
std::vector<model::MetadataElement> read_metadata(pugi::xml_node metadata);

// An element as a client hands it in, under a namespace that it names: whatever has none inside gets this one, by the
// prefix `key`. Errors: as check_document; VIR_ERR_INVALID_ARG for a key that is no name.
Result<model::MetadataElement> make_metadata(std::string_view text, const std::string& key, const std::string& uri);

// The element laid out at this depth (two spaces each), with a line break at its end.
std::string layout_metadata(const model::MetadataElement& element, int depth);

// The element as virDomainGetMetadata hands it out: without its namespace, which the caller named to get it. Elements
// of other namespaces inside keep theirs.
std::string metadata_without_namespace(const model::MetadataElement& element);

}  // namespace vireo::xml
