// What a monitor's event means to the core. Pure.
#pragma once

#include <optional>

#include "ports/hypervisor.hpp"
#include "qmp/monitor.hpp"

namespace vireo::qemu {

// Empty for events that the core does not ask for.
std::optional<ports::GuestEvent> guest_event_of(const qmp::Event& event);

}  // namespace vireo::qemu
