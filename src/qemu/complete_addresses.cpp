// Addresses that are no PCI addresses: a disk's place follows from its name, a USB device and a virtio-serial port take
// the next free one.
#include <algorithm>
#include <map>
#include <set>

#include "qemu/complete.hpp"

namespace vireo::qemu {
namespace {

using namespace model;

std::unexpected<Error> clash(int code, std::string detail) {
  return fail_from(VIR_FROM_DOMAIN, code, std::move(detail));
}

DriveAddress place_of(DiskBus bus, unsigned index) {
  if (bus == DiskBus::ide) return {.controller = index / 4, .bus = (index % 4) / 2, .target = 0, .unit = index % 2};
  const unsigned units = bus == DiskBus::sata ? 6 : 7;
  return {.controller = index / units, .bus = 0, .target = 0, .unit = index % units};
}

Result<void> place_disks(Devices& devices) {
  std::map<std::pair<DiskBus, DriveAddress>, const Disk*> taken;
  for (Disk& disk : devices.disks) {
    if (disk.bus == DiskBus::virtio) continue;
    if (!disk.info.has_address()) disk.info.address = place_of(disk.bus, disk_index(disk.target).value_or(0));
    const auto* drive = std::get_if<DriveAddress>(&disk.info.address);
    if (drive == nullptr)
      return clash(VIR_ERR_XML_ERROR, fmt::format("disk '{}' on bus '{}' needs an address of type 'drive'", disk.target,
                                                  name_of(disk.bus)));
    const bool fits = disk.bus == DiskBus::ide    ? drive->bus < 2 && drive->target == 0 && drive->unit < 2
                      : disk.bus == DiskBus::sata ? drive->bus == 0 && drive->target == 0 && drive->unit < 6
                                                  : drive->bus == 0;
    if (!fits)
      return clash(
          VIR_ERR_CONFIG_UNSUPPORTED,
          fmt::format("disk '{}' has an address that a {} controller does not have", disk.target, name_of(disk.bus)));
    const auto [other, is_new] = taken.emplace(std::pair(disk.bus, *drive), &disk);
    if (!is_new)
      return clash(VIR_ERR_CONFIG_UNSUPPORTED,
                   fmt::format("Found duplicate drive address for disk with target name '{}' controller='{}' bus='{}' "
                               "target='{}' unit='{}'",
                               other->second->target, drive->controller, drive->bus, drive->target, drive->unit));
  }
  return {};
}

// How many ports a USB controller has.
unsigned usb_ports(const Controller& controller) {
  if (controller.model == "qemu-xhci" || controller.model == "nec-xhci") return controller.ports.value_or(4);
  return controller.model == "ehci" || controller.model == "ich9-ehci1" ? 6 : 2;
}

Result<void> place_usb(Devices& devices) {
  std::set<UsbAddress> taken;
  for (const Input& input : devices.inputs)
    if (const auto* usb = std::get_if<UsbAddress>(&input.info.address); usb != nullptr && !usb->port.empty())
      if (!taken.insert(*usb).second)
        return clash(VIR_ERR_XML_ERROR, fmt::format("Duplicate USB address bus {} port {}", usb->bus, usb->port));
  for (Input& input : devices.inputs) {
    if (input.bus != InputBus::usb) continue;
    if (const auto* usb = std::get_if<UsbAddress>(&input.info.address); usb != nullptr && !usb->port.empty()) continue;
    bool placed = false;
    for (const Controller& controller : devices.controllers) {
      if (controller.type != ControllerType::usb || placed) continue;
      for (unsigned port = 1; port <= usb_ports(controller) && !placed; ++port) {
        const UsbAddress address{.bus = *controller.index, .port = fmt::format("{}", port)};
        if (!taken.insert(address).second) continue;
        input.info.address = address;
        placed = true;
      }
    }
    if (!placed)
      return clash(VIR_ERR_INTERNAL_ERROR,
                   "No free USB ports; add <controller type='usb' model='qemu-xhci' ports='15'/>");
  }
  return {};
}

Result<void> place_virtio_serial(Devices& devices) {
  std::set<VirtioSerialAddress> taken;
  // A virtio console without an address is port 0; QEMU keeps that one for consoles.
  taken.insert({0, 0, 0});
  for (const Channel& channel : devices.channels)
    if (const auto* port = std::get_if<VirtioSerialAddress>(&channel.info.address); port != nullptr && port->port != 0)
      if (!taken.insert(*port).second)
        return clash(VIR_ERR_XML_ERROR, fmt::format("virtio serial port {} on controller {} is already occupied",
                                                    port->port, port->controller));
  for (Channel& channel : devices.channels) {
    if (const auto* given = std::get_if<VirtioSerialAddress>(&channel.info.address);
        given != nullptr && given->port != 0)
      continue;
    VirtioSerialAddress next{0, 0, 1};
    while (!taken.insert(next).second) ++next.port;
    if (next.port > 30)
      return clash(VIR_ERR_XML_ERROR, "a virtio-serial controller has 31 ports; say which controller the others use");
    channel.info.address = next;
  }
  return {};
}

}  // namespace

Result<void> complete_addresses(DomainDef& def) {
  if (auto r = place_disks(def.devices); !r) return r;
  if (auto r = place_usb(def.devices); !r) return r;
  return place_virtio_serial(def.devices);
}

}  // namespace vireo::qemu
