// The answer of virConnectGetCapabilities: the host's part as the host tells it, one <guest> for each emulator. Pure.
#pragma once

#include <string>
#include <vector>

#include "qemu/capabilities_cache.hpp"

namespace vireo::qemu {

std::string capabilities_xml(const std::string& host_xml, const std::vector<CapabilitiesPtr>& emulators);

}  // namespace vireo::qemu
