// Controllers: numbers for those that were given, a USB controller and a PCI root for every guest, and one for each bus
// that a device sits on. PCI bridges and root ports are added by complete_pci, which knows how many are needed.
#include <algorithm>
#include <set>

#include "qemu/complete.hpp"

namespace vireo::qemu {
namespace {

using namespace model;

bool has_controller(const Devices& devices, ControllerType type, unsigned index) {
  return std::ranges::any_of(devices.controllers,
                             [&](const Controller& c) { return c.type == type && c.index == index; });
}

// Behind its elders of the same type, or at the end.
void insert_controller(Devices& devices, Controller controller) {
  const auto later = std::ranges::find_if(devices.controllers, [&](const Controller& c) {
    return c.type == controller.type && c.index && *c.index > *controller.index;
  });
  devices.controllers.insert(later, std::move(controller));
}

void need(Devices& devices, ControllerType type, unsigned index, std::string model = {}) {
  if (!has_controller(devices, type, index))
    insert_controller(devices, {.type = type, .index = index, .model = std::move(model)});
}

Result<void> number_given(DomainDef& def) {
  auto& controllers = def.devices.controllers;
  std::set<std::pair<ControllerType, unsigned>> taken;
  for (const Controller& c : controllers)
    if (c.index && !taken.emplace(c.type, *c.index).second)
      return fail_from(VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                       fmt::format("Multiple '{}' controllers with index '{}'", name_of(c.type), *c.index));
  for (Controller& c : controllers) {
    if (c.index) continue;
    // The root is bus 0, whatever its place in the list.
    unsigned next = c.type == ControllerType::pci && c.model != "pci-root" && c.model != "pcie-root" ? 1 : 0;
    while (!taken.emplace(c.type, next).second) ++next;
    c.index = next;
  }
  std::vector<Controller> given;
  given.swap(controllers);
  for (Controller& c : given) insert_controller(def.devices, std::move(c));
  return {};
}

Result<void> check_given(DomainDef& def) {
  const auto is_one_of = [](std::string_view model, std::initializer_list<std::string_view> models) {
    return std::ranges::find(models, model) != models.end();
  };
  for (Controller& c : def.devices.controllers) {
    bool fine = true;
    switch (c.type) {
      case ControllerType::usb:
        if (c.model.empty()) c.model = is_q35(def) ? "qemu-xhci" : "piix3-uhci";
        fine = is_one_of(c.model, {"piix3-uhci", "piix4-uhci", "ehci", "ich9-ehci1", "nec-xhci", "qemu-xhci", "none"});
        break;
      case ControllerType::scsi:
        if (c.model.empty() || c.model == "auto") c.model = "lsilogic";
        fine = is_one_of(c.model, {"virtio-scsi", "lsilogic"});
        break;
      case ControllerType::pci:
        fine = is_q35(def) ? is_one_of(c.model, {"pcie-root", "pcie-root-port", "pcie-to-pci-bridge"})
                           : c.model == "pci-root";
        break;
      case ControllerType::ide:
        fine = c.model.empty() || c.model == "piix3";
        break;
      case ControllerType::sata:
      case ControllerType::virtio_serial:
        fine = c.model.empty();
        break;
    }
    if (!fine)
      return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                  fmt::format("{} controller of model '{}' is not supported by Vireo yet for machine type '{}'; remove "
                              "it from domain '{}'",
                              name_of(c.type), c.model, def.os.machine, def.name));
    if (c.type == ControllerType::ide && (is_q35(def) || *c.index > 0))
      return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                  is_q35(def) ? "IDE controllers are unsupported for this QEMU binary or machine type"
                              : "Only a single IDE controller is supported for this machine type");
  }
  return {};
}

// The number of a controller that a disk's name stands for.
unsigned controller_of(const Disk& disk) {
  if (const auto* drive = std::get_if<DriveAddress>(&disk.info.address)) return drive->controller;
  const unsigned index = disk_index(disk.target).value_or(0);
  switch (disk.bus) {
    case DiskBus::ide:
      return index / 4;
    case DiskBus::sata:
      return index / 6;
    case DiskBus::scsi:
      return index / 7;
    default:
      return 0;
  }
}

Result<void> check_usb(const DomainDef& def) {
  if (std::ranges::any_of(def.devices.inputs, [](const Input& i) { return i.bus == InputBus::usb; }) &&
      std::ranges::any_of(def.devices.controllers,
                          [](const Controller& c) { return c.type == ControllerType::usb && c.model == "none"; }))
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                     fmt::format("Can't add USB input device. USB bus is disabled in domain '{}'", def.name));
  return {};
}

}  // namespace

Result<void> complete_controllers(DomainDef& def) {
  Devices& devices = def.devices;
  if (auto r = number_given(def); !r) return r;
  const bool any_usb =
      std::ranges::any_of(devices.controllers, [](const Controller& c) { return c.type == ControllerType::usb; });
  if (!any_usb) need(devices, ControllerType::usb, 0, is_q35(def) ? "qemu-xhci" : "piix3-uhci");
  // Q35's own SATA controller cannot be left out.
  if (is_q35(def)) need(devices, ControllerType::sata, 0);
  need(devices, ControllerType::pci, 0, is_q35(def) ? "pcie-root" : "pci-root");
  // As many as the highest number that a disk asks for.
  for (const auto& [bus, type] :
       {std::pair(DiskBus::scsi, ControllerType::scsi), std::pair(DiskBus::ide, ControllerType::ide),
        std::pair(DiskBus::sata, ControllerType::sata)}) {
    std::optional<unsigned> highest;
    for (const Disk& disk : devices.disks)
      if (disk.bus == bus) highest = std::max(highest.value_or(0), controller_of(disk));
    if (highest && *highest > 255)
      return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                  fmt::format("a disk of domain '{}' asks for {} controller {}; there can be 256", def.name,
                              name_of(type), *highest));
    if (highest)
      for (unsigned i = 0; i <= *highest; ++i) need(devices, type, i, type == ControllerType::scsi ? "lsilogic" : "");
  }
  const bool virtio_console =
      std::ranges::any_of(devices.consoles, [](const Console& c) { return c.target == ConsoleTarget::virtio; });
  if (!devices.channels.empty() || virtio_console) need(devices, ControllerType::virtio_serial, 0);
  if (auto r = check_given(def); !r) return r;
  return check_usb(def);
}

}  // namespace vireo::qemu
