// Disks, network interfaces, displays, input devices, consoles and serial ports: each as the two ends of a device of
// Xen's, the guest's and the backend's, although the guest sees what QEMU emulates.
#include <algorithm>
#include <set>

#include "presence/sheet.hpp"
#include "presence/vbd_number.hpp"

namespace vireo::presence {
namespace {

using model::CharBackend;

// QEMU serves them, so their backends are Xen's qdisk. Targets that share a number (vda and xvda): the first has it.
void put_disks(const model::Devices& devices, Sheet& sheet) {
  std::set<std::uint32_t> taken;
  for (const auto& disk : devices.disks) {
    const auto number = vbd_number(disk.target);
    if (!number || !taken.insert(*number).second) continue;
    const bool cdrom = disk.kind == model::DiskKind::cdrom;
    const auto [front, back] = sheet.device({"vbd", "qdisk", *number});
    for (const auto& end : {front, back}) sheet.put(end, "device-type", cdrom ? "cdrom" : "disk");
    sheet.put(front, "virtual-device", *number);
    sheet.put(back, "dev", disk.target);
    sheet.put(back, "type", "qdisk");
    sheet.put(back, "mode", disk.readonly ? "r" : "w");
    sheet.put(back, "removable", cdrom ? 1 : 0);
    sheet.put(back, "params", disk.file.empty() ? "" : fmt::format("{}:{}", name_of(disk.driver.format), disk.file));
    if (disk.driver.discard != model::DiskDiscard::unset)
      sheet.put(back, "discard-enable", disk.driver.discard == model::DiskDiscard::unmap ? 1 : 0);
  }
}

void put_interfaces(const model::Devices& devices, Sheet& sheet) {
  for (unsigned i = 0; i < devices.interfaces.size(); ++i) {
    const auto& net = devices.interfaces[i];
    const auto [front, back] = sheet.device({"vif", "vif", i});
    for (const auto& end : {front, back}) {
      sheet.put(end, "handle", i);
      if (net.mac) sheet.put(end, "mac", net.mac->text());
    }
    sheet.put(back, "type", "vif_ioemu");
    if (!net.bridge.empty()) sheet.put(back, "bridge", net.bridge);
    if (net.has_host_device() && !net.target.empty()) sheet.put(back, "vifname", net.target);
  }
}

// SPICE has no words there. The port of the first display is where Xen's viewer looks for it, too.
void put_displays(const model::Devices& devices, Sheet& sheet) {
  constexpr int first_port = 5900;
  unsigned number = 0;
  for (const auto& graphics : devices.graphics) {
    if (graphics.type != model::GraphicsType::vnc) continue;
    const auto [front, back] = sheet.device({"vfb", "vfb", number});
    sheet.put(back, "vnc", 1);
    if (!graphics.keymap.empty()) sheet.put(back, "keymap", graphics.keymap);
    if (graphics.on_tcp() && graphics.port >= first_port) {
      const bool said = !graphics.listens.empty() && !graphics.listens.front().address.empty();
      const std::string address = said ? graphics.listens.front().address : "127.0.0.1";
      sheet.put(back, "vnclisten", address);
      sheet.put(back, "vncdisplay", graphics.port - first_port);
      sheet.put(back, "vncunused", graphics.autoport ? 1 : 0);
      if (number == 0) {
        const auto console = sheet.home + "/console";
        sheet.put(console, "vnc-listen", address);
        sheet.put(console, "vnc-port", graphics.port);
      }
    }
    ++number;
  }
}

void put_inputs(const model::Devices& devices, Sheet& sheet) {
  for (unsigned i = 0; i < devices.inputs.size(); ++i) {
    const auto type = devices.inputs[i].type;
    const auto [front, back] = sheet.device({"vkbd", "vkbd", i});
    const bool keyboard = type == model::InputType::keyboard;
    sheet.put(back, keyboard ? "feature-disable-pointer" : "feature-disable-keyboard", 1);
    if (type == model::InputType::tablet) sheet.put(back, "feature-abs-pointer", 1);
  }
}

// What is connected to a console: its terminal, or the socket at which somebody else finds it.
void put_source(const model::CharSource& source, const Sheet::Ends& ends, Sheet& sheet) {
  sheet.put(ends.front, "type", "ioemu");
  if (source.backend == CharBackend::pty) {
    sheet.put(ends.back, "connection", "pty");
    sheet.put(ends.front, "output", "pty");
    if (!source.path.empty()) sheet.put(ends.front, "tty", source.path);
  } else if (source.backend == CharBackend::unix_socket) {
    sheet.put(ends.back, "connection", "socket");
    if (!source.path.empty()) sheet.put(ends.back, "path", source.path);
  }
}

// The first console has a place of its own; channels are consoles with names.
void put_consoles(const model::Devices& devices, Sheet& sheet) {
  unsigned number = 0;
  for (const auto& console : devices.consoles) {
    const Sheet::Device device{"console", "console", number};
    put_source(console.source, number == 0 ? sheet.device_at(sheet.home + "/console", device) : sheet.device(device),
               sheet);
    ++number;
  }
  number = std::max(number, 1U);
  for (const auto& channel : devices.channels) {
    const auto ends = sheet.device({"console", "console", number++, channel.state == model::ChannelState::connected});
    sheet.put(ends.front, "name", channel.name);
    put_source(channel.source, ends, sheet);
  }
}

void put_serials(const model::Devices& devices, Sheet& sheet) {
  for (unsigned i = 0; i < devices.serials.size(); ++i) {
    const auto& source = devices.serials[i].source;
    if (source.backend == CharBackend::pty && !source.path.empty())
      sheet.put(fmt::format("{}/serial/{}", sheet.home, i), "tty", source.path);
  }
}

}  // namespace

void put_devices(const model::DomainDef& def, Sheet& sheet) {
  put_disks(def.devices, sheet);
  put_interfaces(def.devices, sheet);
  put_displays(def.devices, sheet);
  put_inputs(def.devices, sheet);
  put_consoles(def.devices, sheet);
  put_serials(def.devices, sheet);
}

}  // namespace vireo::presence
