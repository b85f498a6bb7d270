// Addresses: the attribute "type" says which of the five forms the others take.
#include "xml/bind/common.hpp"

namespace vireo::xml {
namespace {

// Hexadecimal with or without its 0x.
void read_isa_number(Reader& io, std::string_view name, unsigned& value) {
  const auto text = io.raw(name);
  if (!text) return;
  const auto number = parse_number<unsigned>(text->starts_with("0x") ? std::string(*text) : fmt::format("0x{}", *text));
  if (!number)
    return io.fail(VIR_ERR_XML_ERROR,
                   fmt::format("Invalid value for attribute '{}' in element '{}': '{}'. Expected non-negative integer "
                               "value",
                               name, io.element(), *text));
  value = *number;
}

void read_isa(Reader& io, model::IsaAddress& address) {
  read_isa_number(io, "iobase", address.iobase);
  read_isa_number(io, "irq", address.irq);
}

}  // namespace

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
  } else if (*type == "isa" && (io.parent() == "serial" || io.parent() == "console" || io.parent() == "panic")) {
    read_isa(io, address.emplace<model::IsaAddress>());
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
  } else if (const auto* isa = std::get_if<model::IsaAddress>(&address)) {
    io.constant("type", "isa");
    if (isa->iobase != 0) io.hex("iobase", isa->iobase, 1);
    if (isa->irq != 0) io.hex("irq", isa->irq, 1);
  }
}

}  // namespace vireo::xml
