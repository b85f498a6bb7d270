// The names that devices of a running guest go by: in its live XML, on QEMU's command line and in QEMU's events.
#include "qemu/aliases.hpp"

#include "qemu/complete.hpp"

namespace vireo::qemu {
namespace {

using namespace model;

void name(DeviceInfo& info, std::string alias) {
  if (info.alias.empty()) info.alias = std::move(alias);
}

bool is_lsi(const Devices& devices, unsigned controller) {
  for (const Controller& c : devices.controllers)
    if (c.type == ControllerType::scsi && c.index == controller) return c.model == "lsilogic";
  return false;
}

std::string disk_alias(const Disk& disk, const Devices& devices) {
  const auto* drive = std::get_if<DriveAddress>(&disk.info.address);
  if (drive == nullptr) return fmt::format("virtio-disk{}", disk_index(disk.target).value_or(0));
  // An LSI controller has no targets of its own: what is a unit here is a target there.
  if (disk.bus == DiskBus::scsi && !is_lsi(devices, drive->controller))
    return fmt::format("scsi{}-{}-{}-{}", drive->controller, drive->bus, drive->target, drive->unit);
  return fmt::format("{}{}-{}-{}", name_of(disk.bus), drive->controller, drive->bus, drive->unit);
}

std::string controller_alias(const Controller& c) {
  const unsigned index = c.index.value_or(0);
  // QEMU names these itself, and so must we.
  if (c.type == ControllerType::pci) {
    if (c.model == "pcie-root") return fmt::format("pcie.{}", index);
    return fmt::format("pci.{}", index);
  }
  if (c.type == ControllerType::ide && index == 0) return "ide";
  if (c.type == ControllerType::sata && index == 0 && c.info.has_address()) {
    const auto* at = std::get_if<PciAddress>(&c.info.address);
    if (at != nullptr && at->bus == 0 && at->slot == 0x1F && at->function == 2) return "ide";
  }
  if (c.type == ControllerType::usb && index == 0) return "usb";
  return fmt::format("{}{}", name_of(c.type), index);
}

template <class List>
void number(List& list, std::string_view stem) {
  unsigned next = 0;
  for (auto& device : list) name(device.info, fmt::format("{}{}", stem, next++));
}

}  // namespace

DomainDef assign_aliases(DomainDef def, const std::string& channel_dir) {
  Devices& devices = def.devices;
  unsigned image = 0;
  // Block numbers count from the last disk, so that a disk plugged in later takes the next one.
  for (auto disk = devices.disks.rbegin(); disk != devices.disks.rend(); ++disk) {
    name(disk->info, disk_alias(*disk, devices));
    ++image;
    if (!disk->file.empty()) disk->index = image;
    if (disk->driver.format == ImageFormat::raw && !disk->file.empty()) disk->no_backing = true;
  }
  for (Controller& c : devices.controllers) name(c.info, controller_alias(c));
  number(devices.interfaces, "net");
  number(devices.serials, "serial");
  unsigned console = 0;
  for (Console& c : devices.consoles) {
    // A serial console is its port under another name.
    if (c.target == ConsoleTarget::serial && !devices.serials.empty())
      c.info.alias = devices.serials.front().info.alias;
    else
      name(c.info, fmt::format("console{}", console));
    ++console;
  }
  number(devices.channels, "channel");
  for (Channel& channel : devices.channels) {
    channel.state = ChannelState::disconnected;  // until the guest opens its end
    if (channel.source.backend == CharBackend::unix_socket && channel.source.path.empty() && !channel_dir.empty()) {
      channel.source.path = channel_path(channel, channel_dir);
      channel.source.mode = SocketMode::bind;
    }
  }
  number(devices.inputs, "input");
  number(devices.videos, "video");
  if (devices.memballoon && devices.memballoon->model != BalloonModel::none) name(devices.memballoon->info, "balloon0");
  number(devices.rngs, "rng");
  return def;
}

std::string channel_path(const Channel& channel, const std::string& channel_dir) {
  if (!channel.source.path.empty()) return channel.source.path;
  return fmt::format("{}/{}", channel_dir, channel.name.empty() ? channel.info.alias : channel.name);
}

std::string controller_name(const DomainDef& live, ControllerType type, unsigned index) {
  for (const Controller& c : live.devices.controllers)
    if (c.type == type && c.index == index) return c.info.alias.empty() ? controller_alias(c) : c.info.alias;
  return fmt::format("{}{}", name_of(type), index);
}

std::string pci_bus_name(const DomainDef& live, unsigned bus) {
  // The root's name is QEMU's own, whatever a user calls it.
  if (bus == 0) return is_q35(live) ? "pcie.0" : "pci.0";
  return controller_name(live, ControllerType::pci, bus);
}

}  // namespace vireo::qemu
