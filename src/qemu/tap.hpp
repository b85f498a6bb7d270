// Network devices of the host that a guest's packets go through: TAP devices (Documentation/networking/tuntap.rst of
// Linux). The daemon opens them, since a guest's QEMU may not, and QEMU inherits the descriptor. Blocks (a worker calls
// it); needs CAP_NET_ADMIN.
#pragma once

#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "model/devices/interface.hpp"

namespace vireo::qemu {

struct Tap {
  Fd fd;
  std::string name;  // "vnet0"
};

// Opens the device that `nic` names, or makes one: for as long as a descriptor is open, named as asked or else vnetN,
// up, with a link address of its own, in the bridge if one is named. One that is not managed must be there and stays
// as it is. Errors: VIR_ERR_CONFIG_UNSUPPORTED for one that should be there and is not, VIR_ERR_SYSTEM_ERROR naming the
// device or the bridge.
Result<Tap> open_tap(const model::Interface& nic);

}  // namespace vireo::qemu
