// Addresses: the attribute "type" says which of the four forms the others take.
#include "xml/bind/common.hpp"

namespace vireo::xml {

void read_address(Reader& io, model::Address& address) {
  const auto type = io.raw("type");
  if (!type) return io.fail(VIR_ERR_XML_ERROR, "Missing required attribute 'type' in element 'address'");
  if (*type == "pci") {
    // Nothing but the type: "some PCI address, please".
    if (!io.node().attribute("domain") && !io.node().attribute("bus") && !io.node().attribute("slot") &&
        !io.node().attribute("function") && !io.node().attribute("multifunction"))
      return;
    model::PciAddress pci;
    bind_pci(io, pci);
    if (!io.failed() && (pci.domain > 0xFFFF || pci.bus > 0xFF || pci.slot > 0x1F || pci.function > 7))
      return io.fail(VIR_ERR_XML_ERROR,
                     fmt::format("Invalid PCI address {:04x}:{:02x}:{:02x}.{:x}: a domain has at most 256 buses of 32 "
                                 "slots with 8 functions",
                                 pci.domain, pci.bus, pci.slot, pci.function));
    address = pci;
  } else if (*type == "drive") {
    bind_drive(io, address.emplace<model::DriveAddress>());
  } else if (*type == "usb") {
    bind_usb(io, address.emplace<model::UsbAddress>());
  } else if (*type == "virtio-serial") {
    bind_virtio_serial(io, address.emplace<model::VirtioSerialAddress>());
  } else if (*type == "ccid" || *type == "spapr-vio" || *type == "virtio-mmio" || *type == "isa" || *type == "ccw" ||
             *type == "dimm" || *type == "unassigned" || *type == "virtio-s390" || *type == "mdev") {
    io.refuse(fmt::format("type='{}' of element <address> in <{}>", *type, io.parent()));
  } else {
    io.fail(VIR_ERR_CONFIG_UNSUPPORTED, fmt::format("unknown address type '{}'", *type), VIR_FROM_DOMAIN);
  }
}

void write_address(Writer& io, const model::Address& address) {
  if (const auto* pci = std::get_if<model::PciAddress>(&address)) {
    io.constant("type", "pci");
    bind_pci(io, *pci);
  } else if (const auto* drive = std::get_if<model::DriveAddress>(&address)) {
    io.constant("type", "drive");
    bind_drive(io, *drive);
  } else if (const auto* usb = std::get_if<model::UsbAddress>(&address)) {
    io.constant("type", "usb");
    bind_usb(io, *usb);
  } else if (const auto* port = std::get_if<model::VirtioSerialAddress>(&address)) {
    io.constant("type", "virtio-serial");
    bind_virtio_serial(io, *port);
  }
}

}  // namespace vireo::xml
