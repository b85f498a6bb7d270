// A disk's number among a guest's virtual block devices: computed from its target's name as Xen's text on the vbd
// interface has it (xen-vbd-interface(7)). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vireo::presence {

// Of "vda", "xvdaa", "sdb", "hdc". virtio's names count like xvd, for they are what a guest calls its virtual disks.
// sd and hd beyond what the text gives a number get the one that Linux has for them. Empty: there is none.
std::optional<std::uint32_t> vbd_number(std::string_view target);

}  // namespace vireo::presence
