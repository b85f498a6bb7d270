// What clients may take, as the configuration says, and room for them in the process. No state.
#pragma once

#include "daemon/config.hpp"
#include "doors/libvirt/limits.hpp"

namespace vireo::daemon {

// For the libvirt door: at its beginning, and for new connections after a reload (Door::set_limits).
doors::libvirt::Limits client_limits(const Config& config);

// Lets the process have as many descriptors as it may: clients and guests take some each, and the usual limit of 1024
// is meant for programs that call select().
void raise_descriptor_limit();

}  // namespace vireo::daemon
