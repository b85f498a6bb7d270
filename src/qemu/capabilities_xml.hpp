// The answer of virConnectGetCapabilities: the host's part as the host tells it, one <guest> for each emulator. Pure.
#pragma once

#include <string>
#include <vector>

#include "ports/labeler.hpp"
#include "qemu/capabilities_cache.hpp"

namespace vireo::qemu {

// `models`: the security models in force, for the end of the host's part.
std::string capabilities_xml(const std::string& host_xml, const std::vector<ports::SecurityModel>& models,
                             const std::vector<CapabilitiesPtr>& emulators);

}  // namespace vireo::qemu
