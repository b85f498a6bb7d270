// What QEMU can show at once, and what must be there for it: rules of graphics servers and of the devices that speak
// through SPICE. Pure.
#pragma once

#include <string_view>

#include "base/error.hpp"
#include "model/definition.hpp"
#include "qemu/capabilities.hpp"

namespace vireo::qemu {

// The name of the channel by which a guest's agent talks to SPICE's clients.
inline constexpr std::string_view kSpiceAgent = "com.redhat.spice.0";

// What a definition must fulfil to be taken. Errors: VIR_ERR_CONFIG_UNSUPPORTED, for SPICE with a QEMU that has none,
// and for a channel or audio to SPICE's clients without a SPICE server.
Result<void> check_spice(const model::DomainDef& def, const Capabilities& caps);

// What libvirt says only when a guest starts. Errors: VIR_ERR_CONFIG_UNSUPPORTED, for two servers of one type, several
// addresses of one server, and ports where there can be none.
Result<void> check_graphics(const model::DomainDef& def);

}  // namespace vireo::qemu
