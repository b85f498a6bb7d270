// Validation of a definition against libvirt's own RelaxNG schema, for clients that ask for it: it finds what reading
// leaves alone because nobody knows it. Takes tens of milliseconds and reads the schema's files on first use: for
// workers only.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace vireo::xml {

// Installed by Debian's libvirt0.
inline constexpr const char* domain_schema = "/usr/share/libvirt/schemas/domain.rng";

// `text` has passed the gate. Errors, all from VIR_FROM_XML: VIR_ERR_XML_INVALID_SCHEMA with what the validator says,
// line by line, as libvirt has it; VIR_ERR_INTERNAL_ERROR when the schema cannot be read.
Result<void> validate(std::string_view text, const std::string& schema_path = domain_schema);

}  // namespace vireo::xml
