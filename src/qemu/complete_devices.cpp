// Defaults of the devices themselves: buses by a disk's name, models of network cards, the serial port behind a
// console.
#include <algorithm>

#include "qemu/complete.hpp"

namespace vireo::qemu {
namespace {

using namespace model;

std::unexpected<Error> broken(int code, std::string detail) {
  return fail_from(VIR_FROM_DOMAIN, code, std::move(detail));
}

// libvirt keeps disks of one bus in the order of their names, and judges the bus by what was written: disks that leave
// it to their names are one group.
void order_disks(std::vector<Disk>& disks) {
  if (std::ranges::all_of(disks, [](const Disk& d) { return d.info.has_address(); })) return;
  std::vector<Disk> ordered;
  for (Disk& disk : disks) {
    std::optional<std::size_t> place;
    for (std::size_t i = ordered.size(); i-- > 0;) {
      if (ordered[i].bus != disk.bus) continue;
      if (disk_index(ordered[i].target) > disk_index(disk.target))
        place = i;
      else if (!place)
        place = i + 1;
    }
    ordered.insert(ordered.begin() + static_cast<std::ptrdiff_t>(place.value_or(ordered.size())), std::move(disk));
  }
  disks = std::move(ordered);
}

Result<void> complete_disk(Disk& disk, const DomainDef& def) {
  const bool by_name = disk_index(disk.target).has_value();
  if (!by_name && !disk.info.has_address())
    return broken(VIR_ERR_XML_ERROR, fmt::format("Unknown disk name '{}' and no address specified", disk.target));
  if (disk.bus == DiskBus::unset) {
    if (disk.target.starts_with("hd"))
      disk.bus = DiskBus::ide;
    else if (disk.target.starts_with("sd"))
      disk.bus = DiskBus::scsi;
    else if (disk.target.starts_with("vd"))
      disk.bus = DiskBus::virtio;
    else
      return broken(VIR_ERR_CONFIG_UNSUPPORTED,
                    fmt::format("disk '{}' needs a bus that Vireo supports; say bus='virtio', 'sata', 'scsi' or 'ide' "
                                "in its <target>",
                                disk.target));
  }
  if (disk.bus == DiskBus::ide && is_q35(def))
    return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                fmt::format("IDE controllers are unsupported for machine type '{}'; use bus='sata' for disk '{}'",
                            def.os.machine, disk.target));
  if (disk.kind == DiskKind::cdrom) {
    if (disk.bus == DiskBus::virtio)
      return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                  fmt::format("disk type of '{}' does not support ejectable media; use bus='sata'", disk.target));
    disk.readonly = true;
  } else if (disk.readonly && (disk.bus == DiskBus::ide || disk.bus == DiskBus::sata)) {
    return fail(
        VIR_ERR_CONFIG_UNSUPPORTED,
        fmt::format("readonly {} disks are not supported; use bus='virtio' for '{}'", name_of(disk.bus), disk.target));
  }
  if (disk.driver.name.empty()) disk.driver.name = "qemu";
  if (disk.driver.name != "qemu")
    return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                fmt::format("unsupported driver name '{}' for disk '{}'; use 'qemu'", disk.driver.name, disk.target));
  if (disk.driver.format == ImageFormat::unset) disk.driver.format = ImageFormat::raw;
  return {};
}

// A MAC address of QEMU's own range that stays the same as long as UUID and place do.
MacAddress make_mac(const Uuid& uuid, unsigned index) {
  std::uint32_t mixed = 0x811C9DC5U;
  const auto mix = [&](unsigned byte) { mixed = (mixed ^ byte) * 0x01000193U; };
  for (const auto byte : uuid.bytes) mix(byte);
  mix(index & 0xFFU);
  mix(index >> 8U);
  return {{0x52, 0x54, 0x00, static_cast<std::uint8_t>(mixed >> 16U), static_cast<std::uint8_t>(mixed >> 8U),
           static_cast<std::uint8_t>(mixed)}};
}

Result<void> complete_interfaces(DomainDef& def) {
  constexpr std::array models{"virtio", "rtl8139", "e1000", "e1000e", "ne2k_pci", "pcnet", "virtio-net-pci"};
  unsigned index = 0;
  for (Interface& nic : def.devices.interfaces) {
    if (nic.model.empty()) nic.model = "rtl8139";
    if (nic.target.empty() && nic.managed == false)
      return fail(VIR_ERR_CONFIG_UNSUPPORTED, "target dev must be supplied when managed='no'");
    if (std::ranges::find(models, nic.model) == models.end())
      return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                  fmt::format("network card model '{}' is not supported by Vireo yet; use 'virtio' or 'e1000' in "
                              "domain '{}'",
                              nic.model, def.name));
    if (!nic.mac) {
      const auto taken = [&](const MacAddress& mac) {
        return std::ranges::any_of(def.devices.interfaces, [&](const Interface& other) { return other.mac == mac; });
      };
      MacAddress mac = make_mac(def.uuid, index);
      for (unsigned again = 256; taken(mac); again += 256) mac = make_mac(def.uuid, index + again);
      nic.mac = mac;
    }
    ++index;
  }
  return {};
}

Result<void> check_char_source(const CharSource& source, bool is_channel) {
  if (source.backend == CharBackend::spicevmc && !is_channel)
    return broken(VIR_ERR_CONFIG_UNSUPPORTED, "spicevmc device type only supports virtio");
  // A channel's socket gets a path at start.
  if (source.path.empty() &&
      (source.backend == CharBackend::file || (source.backend == CharBackend::unix_socket && !is_channel)))
    return broken(VIR_ERR_INTERNAL_ERROR, "Missing source path attribute for char device");
  return {};
}

// The first console of type serial is serial port 0 under another name: whichever was said makes the other.
void mirror_console(Devices& devices) {
  for (Console& console : devices.consoles)
    if (console.target == ConsoleTarget::unset) console.target = ConsoleTarget::serial;
  if (!devices.consoles.empty() && devices.consoles.front().target == ConsoleTarget::serial) {
    Console& first = devices.consoles.front();
    if (devices.serials.empty()) {
      devices.serials.push_back({.source = first.source, .target_type = {}, .port = 0, .target_model = {}, .info = {}});
      devices.serials.front().info.alias = first.info.alias;
      devices.serials.front().info.address = first.info.address;
    } else {
      first.source = devices.serials.front().source;
      first.info.address = devices.serials.front().info.address;
    }
  } else if (devices.consoles.empty() && !devices.serials.empty()) {
    devices.consoles.push_back(
        {.source = devices.serials.front().source, .target = ConsoleTarget::serial, .port = 0, .info = {}});
    devices.consoles.front().info.address = devices.serials.front().info.address;
  }
}

Result<void> complete_chardevs(DomainDef& def) {
  Devices& devices = def.devices;
  mirror_console(devices);
  unsigned next = 0;
  for (Serial& serial : devices.serials) {
    if (serial.target_type.empty()) serial.target_type = "isa-serial";
    if (serial.target_type == "isa-serial" && serial.target_model.empty()) serial.target_model = "isa-serial";
    if (serial.target_type != "isa-serial" || serial.target_model != "isa-serial")
      return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                  fmt::format("serial port of type '{}' is not supported by Vireo yet; use 'isa-serial' in domain '{}'",
                              serial.target_type, def.name));
    if (!serial.port) serial.port = next;
    next = std::max(next, *serial.port) + 1;
    if (auto r = check_char_source(serial.source, false); !r) return r;
  }
  if (devices.serials.size() > 4)
    return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                fmt::format("domain '{}' has more than the four serial ports of a PC", def.name));
  unsigned port = 0, serial_consoles = 0;
  for (Console& console : devices.consoles) {
    if (!console.port) console.port = port;
    port = *console.port + 1;
    if (console.target == ConsoleTarget::serial && ++serial_consoles > 1)
      return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                  fmt::format("Only the first console can be a serial port; give the others of domain '{}' "
                              "<target type='virtio'/>",
                              def.name));
    if (auto r = check_char_source(console.source, false); !r) return r;
  }
  for (const Channel& channel : devices.channels)
    if (auto r = check_char_source(channel.source, true); !r) return r;
  return {};
}

Result<void> complete_panics(Devices& devices) {
  for (Panic& panic : devices.panics) {
    if (panic.model == PanicModel::unset) panic.model = PanicModel::isa;
    if (panic.info.has_address() && !std::holds_alternative<IsaAddress>(panic.info.address))
      return fail(VIR_ERR_CONFIG_UNSUPPORTED, "panic is supported only with ISA address type");
  }
  if (devices.panics.size() > 1) return broken(VIR_ERR_XML_ERROR, "Multiple panic devices with model 'isa'");
  return {};
}

}  // namespace

std::optional<unsigned> disk_index(std::string_view target) {
  constexpr std::array prefixes{"fd", "hd", "vd", "sd", "xvd", "ubd"};
  for (const std::string_view prefix : prefixes) {
    if (!target.starts_with(prefix)) continue;
    std::string_view rest = target.substr(prefix.size());
    const auto letters = std::min(rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), rest.size());
    // A partition's number may follow.
    if (letters == 0 || letters > 5 || rest.find_first_not_of("0123456789", letters) != std::string_view::npos)
      return std::nullopt;
    unsigned index = 0;
    for (const char c : rest.substr(0, letters)) index = index * 26 + static_cast<unsigned>(c - 'a') + 1;
    return index - 1;
  }
  return std::nullopt;
}

Result<void> complete_devices(DomainDef& def) {
  order_disks(def.devices.disks);
  for (Disk& disk : def.devices.disks)
    if (auto r = complete_disk(disk, def); !r) return r;
  if (auto r = complete_interfaces(def); !r) return r;
  if (auto r = complete_chardevs(def); !r) return r;
  if (auto r = complete_display(def); !r) return r;
  if (!def.devices.memballoon) def.devices.memballoon.emplace();
  return complete_panics(def.devices);
}

}  // namespace vireo::qemu
