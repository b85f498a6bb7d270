// Definitions to and from libvirt's XML. Reading checks the document first (gate.hpp), fills the value through the
// bindings (bind/), and then checks what a single element cannot know (rules.hpp). Nothing is defaulted here beyond
// what the words themselves mean; qemu/complete does that. Pure, and slow enough to belong on a worker for large
// documents.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "model/definition.hpp"

namespace vireo::xml {

struct ParseOptions {
  // Read a live definition back: id, aliases, chosen ports, terminals. Otherwise these are ignored, as a definition
  // copied from a running guest should define a guest like it.
  bool live = false;
  // Hold the document against libvirt's schema first (validate.hpp): for workers only.
  bool validate = false;
};

// Errors: VIR_ERR_XML_DETAIL (not well formed), VIR_ERR_XML_ERROR (missing, invalid, or said twice and differently),
// VIR_ERR_NO_NAME, VIR_ERR_CONFIG_UNSUPPORTED (known to libvirt, not honoured by Vireo yet, or never). A missing UUID
// is made up.
Result<model::DomainDef> parse_domain(std::string_view text, ParseOptions options = {});

struct FormatOptions {
  // Leave out what belongs to running guests only, whether the definition holds it or not.
  bool inactive = false;
  // Security-sensitive parts: Vireo's definitions hold none yet, so this changes nothing.
  bool secure = false;
  // For a migration's destination: the same as the plain form for all that Vireo honours.
  bool migratable = false;
};

std::string format_domain(const model::DomainDef& def, FormatOptions options = {});

}  // namespace vireo::xml
