// From what a user wrote to a definition that says everything: libvirt's defaults for QEMU's two x86 machines (i440fx
// and Q35), the controllers that devices need, and an address for every device. What was said stays as it is, so a
// completed definition comes back unchanged, and addresses are stable for the guest's life. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "model/definition.hpp"
#include "qemu/aliases.hpp"
#include "qemu/capabilities.hpp"

namespace vireo::qemu {

// Errors: VIR_ERR_CONFIG_UNSUPPORTED for what this QEMU or this version of Vireo cannot do, VIR_ERR_XML_ERROR for
// addresses that clash.
Result<model::DomainDef> complete(model::DomainDef def, const Capabilities& caps);

// "hda" → 0, "sdc" → 2, "vdaa" → 26; nothing if it is no such name.
std::optional<unsigned> disk_index(std::string_view target);

// The completion's steps, in the order in which complete() takes them.
Result<void> complete_devices(model::DomainDef& def);      // complete_devices.cpp: buses, models, consoles, and
Result<void> complete_display(model::DomainDef& def);      // complete_display.cpp: inputs, video cards, audio
Result<void> complete_controllers(model::DomainDef& def);  // complete_controllers.cpp: those that devices need
Result<void> complete_addresses(model::DomainDef& def);    // complete_addresses.cpp: drive, USB, virtio-serial
Result<void> complete_pci(model::DomainDef& def);          // complete_pci.cpp

bool is_q35(const model::DomainDef& def);

}  // namespace vireo::qemu
