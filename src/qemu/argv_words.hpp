// Small helpers of the argv files: options in QEMU's JSON form, which needs no escaping of its own, and where a device
// is plugged in. Pure.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "model/definition.hpp"
#include "qemu/aliases.hpp"

namespace vireo::qemu {

inline void add_json(std::vector<std::string>& argv, const char* option, const boost::json::object& value) {
  argv.emplace_back(option);
  argv.push_back(boost::json::serialize(value));
}

// "bus" and "addr" of a device with a PCI address.
inline void plug_pci(boost::json::object& device, const model::DomainDef& live, const model::DeviceInfo& info) {
  const auto* at = std::get_if<model::PciAddress>(&info.address);
  if (at == nullptr) return;
  device["bus"] = pci_bus_name(live, at->bus);
  if (at->multifunction) device["multifunction"] = *at->multifunction;
  device["addr"] =
      at->function == 0 ? fmt::format("0x{:x}", at->slot) : fmt::format("0x{:x}.0x{:x}", at->slot, at->function);
}

// Which place in the boot order each disk and interface has: its own, or what <boot> in <os> says of the first of its
// kind. 0: none.
struct BootIndexes {
  std::vector<unsigned> disks, interfaces;
};
BootIndexes boot_indexes(const model::DomainDef& live);

}  // namespace vireo::qemu
