// From a completed definition to the one of a guest about to run: names for its devices and what else only running
// guests have. Pure.
#pragma once

#include <string>

#include "model/definition.hpp"

namespace vireo::qemu {

// Gives every device the alias that libvirt would give it, numbers the images, and puts channels that said no path of
// their own into `channel_dir` (if given). Aliases that the user chose stay. The result is the live definition that
// build_argv and a monitor's events speak of; ports and terminals come later, from QEMU and from claims.
model::DomainDef assign_aliases(model::DomainDef def, const std::string& channel_dir = {});

// The socket of a channel: its own path, or one named after it in `channel_dir`.
std::string channel_path(const model::Channel& channel, const std::string& channel_dir);

// What QEMU calls a PCI bus of the guest: "pci.0", "pcie.0", or the alias of the bridge.
std::string pci_bus_name(const model::DomainDef& live, unsigned bus);

// The alias of a controller, as its devices' buses are named after it.
std::string controller_name(const model::DomainDef& live, model::ControllerType type, unsigned index);

}  // namespace vireo::qemu
