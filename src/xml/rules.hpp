// What must hold between the parts of a definition, whatever runs it: names without '/', no target twice, boot orders
// that do not clash. Pure.
#pragma once

#include "base/error.hpp"
#include "model/definition.hpp"

namespace vireo::xml {

// Fails with libvirt's code for the first rule that is broken, from VIR_FROM_DOMAIN.
Result<void> check_rules(const model::DomainDef& def);

}  // namespace vireo::xml
