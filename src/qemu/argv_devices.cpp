// All devices but disks and graphics servers: controllers, network, character devices, video cards and input, balloon,
// random numbers.
#include "qemu/argv.hpp"
#include "qemu/argv_words.hpp"
#include "qemu/complete.hpp"
#include "qemu/graphics.hpp"

namespace vireo::qemu {
namespace {

using namespace model;
using boost::json::object;

void add_controller(std::vector<std::string>& argv, const DomainDef& live, const Controller& c) {
  object device;
  switch (c.type) {
    case ControllerType::pci:
      if (c.model == "pcie-root-port") {
        device["driver"] = "pcie-root-port";
        if (c.port) device["port"] = *c.port;
        if (c.chassis) device["chassis"] = *c.chassis;
      } else if (c.model == "pcie-to-pci-bridge") {
        device["driver"] = "pcie-pci-bridge";
      } else {
        return;  // the root is the machine's own
      }
      break;
    case ControllerType::usb:
      if (c.model == "none") return;
      device["driver"] = c.model == "piix3-uhci"   ? "piix3-usb-uhci"
                         : c.model == "piix4-uhci" ? "piix4-usb-uhci"
                         : c.model == "ehci"       ? "usb-ehci"
                         : c.model == "ich9-ehci1" ? "ich9-usb-ehci1"
                         : c.model == "nec-xhci"   ? "nec-usb-xhci"
                                                   : "qemu-xhci";
      if (c.ports) {
        device["p2"] = *c.ports;
        device["p3"] = *c.ports;
      }
      break;
    case ControllerType::scsi:
      device["driver"] = c.model == "virtio-scsi" ? "virtio-scsi-pci" : "lsi";
      break;
    case ControllerType::sata:
      if (is_q35(live) && c.index == 0U) return;  // the machine's own
      device["driver"] = "ahci";
      break;
    case ControllerType::virtio_serial:
      device["driver"] = "virtio-serial-pci";
      if (c.ports) device["max_ports"] = *c.ports;
      if (c.vectors) device["vectors"] = *c.vectors;
      break;
    case ControllerType::ide:
      return;  // the machine's own
  }
  device["id"] = c.info.alias;
  plug_pci(device, live, c.info);
  add_json(argv, "-device", device);
}

void add_interfaces(std::vector<std::string>& argv, const DomainDef& live, const std::vector<int>& tap_fds) {
  const BootIndexes boot = boot_indexes(live);
  for (std::size_t i = 0; i < live.devices.interfaces.size(); ++i) {
    const Interface& nic = live.devices.interfaces[i];
    const std::string backend = "host" + nic.info.alias;
    // QEMU takes the descriptor's number as a text: a name would be looked up among those passed by its monitor.
    if (nic.has_host_device())
      add_json(argv, "-netdev", {{"type", "tap"}, {"fd", std::to_string(tap_fds.at(i))}, {"id", backend}});
    else
      add_json(argv, "-netdev", {{"type", "user"}, {"id", backend}});
    object device{{"driver", nic.model == "virtio" ? "virtio-net-pci" : std::string_view(nic.model)},
                  {"netdev", backend},
                  {"id", nic.info.alias}};
    if (nic.mac) device["mac"] = nic.mac->text();
    if (boot.interfaces[i] != 0) device["bootindex"] = boot.interfaces[i];
    plug_pci(device, live, nic.info);
    add_json(argv, "-device", device);
  }
}

// A byte of each packet that the guest sends over its first interface, for the time until there was one.
void add_packet_log(std::vector<std::string>& argv, const DomainDef& live, const std::string& path) {
  if (path.empty()) return;
  add_json(argv, "-object",
           {{"qom-type", "filter-dump"},
            {"id", kPacketFilter},
            {"netdev", "host" + live.devices.interfaces.front().info.alias},
            {"queue", "rx"},
            {"maxlen", 1},
            {"file", path}});
}

// The host's end of a character device; its id is "char" and the alias.
std::string add_chardev(std::vector<std::string>& argv, const CharSource& source, const std::string& alias) {
  const std::string id = "char" + alias;
  std::string word;
  switch (source.backend) {
    case CharBackend::null:
      word = fmt::format("null,id={}", id);
      break;
    case CharBackend::pty:
      word = fmt::format("pty,id={}", id);
      break;
    case CharBackend::file:
      word = fmt::format("file,id={},path={}", id, escape_commas(source.path));
      word += source.append.value_or(false) ? ",append=on" : "";
      break;
    case CharBackend::unix_socket:
      word = fmt::format("socket,id={},path={}", id, escape_commas(source.path));
      word += source.mode == SocketMode::connect ? "" : ",server=on,wait=off";
      break;
    case CharBackend::spicevmc:
      word = fmt::format("spicevmc,id={},name=vdagent", id);
      break;
  }
  argv.emplace_back("-chardev");
  argv.push_back(std::move(word));
  return id;
}

// Copies what the last character device prints into a file as well. Appending, so that what was read can be
// taken out of it.
void log_into(std::vector<std::string>& argv, const std::string& path) {
  argv.back() += fmt::format(",logfile={},logappend=on", escape_commas(path));
}

void add_chardevs(std::vector<std::string>& argv, const DomainDef& live, const LaunchPaths& paths) {
  const std::string logged = paths.console_log.empty() ? std::string() : watched_console(live);
  for (const Serial& serial : live.devices.serials) {
    const std::string id = add_chardev(argv, serial.source, serial.info.alias);
    if (serial.info.alias == logged) log_into(argv, paths.console_log);
    object device{
        {"driver", "isa-serial"}, {"chardev", id}, {"id", serial.info.alias}, {"index", serial.port.value_or(0)}};
    if (const auto* at = std::get_if<IsaAddress>(&serial.info.address)) {
      if (at->iobase != 0) device["iobase"] = at->iobase;
      if (at->irq != 0) device["irq"] = at->irq;
    }
    add_json(argv, "-device", device);
  }
  for (const Channel& channel : live.devices.channels) {
    CharSource source = channel.source;
    source.path = channel_path(channel, paths.channel_dir);
    const std::string id = add_chardev(argv, source, channel.info.alias);
    object device{{"driver", "virtserialport"}};
    if (const auto* at = std::get_if<VirtioSerialAddress>(&channel.info.address)) {
      device["bus"] = controller_name(live, ControllerType::virtio_serial, at->controller) + ".0";
      device["nr"] = at->port;
    }
    device["chardev"] = id;
    device["id"] = channel.info.alias;
    if (!channel.name.empty())
      device["name"] = channel.name;
    else if (source.backend == CharBackend::spicevmc)
      device["name"] = kSpiceAgent;
    add_json(argv, "-device", device);
  }
  for (const Console& console : live.devices.consoles) {
    if (console.target != ConsoleTarget::virtio) continue;  // the serial port under another name
    const std::string id = add_chardev(argv, console.source, console.info.alias);
    if (console.info.alias == logged) log_into(argv, paths.console_log);
    add_json(argv, "-device", {{"driver", "virtconsole"}, {"chardev", id}, {"id", console.info.alias}});
  }
}

void add_inputs(std::vector<std::string>& argv, const DomainDef& live) {
  for (const Input& input : live.devices.inputs) {
    if (input.bus != InputBus::usb && input.bus != InputBus::virtio) continue;  // every PC has its PS/2 devices
    object device;
    const bool usb = input.bus == InputBus::usb;
    if (usb && input.type == InputType::keyboard)
      device["driver"] = "usb-kbd";
    else
      device["driver"] =
          usb ? fmt::format("usb-{}", name_of(input.type)) : fmt::format("virtio-{}-pci", name_of(input.type));
    device["id"] = input.info.alias;
    if (const auto* at = std::get_if<UsbAddress>(&input.info.address)) {
      device["bus"] = controller_name(live, ControllerType::usb, at->bus) + ".0";
      device["port"] = at->port;
    }
    plug_pci(device, live, input.info);
    add_json(argv, "-device", device);
  }
}

void add_videos(std::vector<std::string>& argv, const DomainDef& live) {
  for (const Video& video : live.devices.videos) {
    object device;
    switch (video.model) {
      case VideoModel::vga:
        device["driver"] = "VGA";
        break;
      case VideoModel::cirrus:
        device["driver"] = "cirrus-vga";
        break;
      case VideoModel::virtio:
        device["driver"] = video.primary ? "virtio-vga" : "virtio-gpu-pci";
        break;
      case VideoModel::bochs:
        device["driver"] = "bochs-display";
        break;
      case VideoModel::unset:
      case VideoModel::none:
        continue;
    }
    device["id"] = video.info.alias;
    if (video.model == VideoModel::vga && video.vram_kib) device["vgamem_mb"] = *video.vram_kib / 1024;
    if (video.model == VideoModel::bochs && video.vram_kib) device["vgamem"] = std::uint64_t{*video.vram_kib} * 1024;
    if (video.model == VideoModel::virtio && video.heads) device["max_outputs"] = *video.heads;
    plug_pci(device, live, video.info);
    add_json(argv, "-device", device);
  }
}

void add_balloon(std::vector<std::string>& argv, const DomainDef& live) {
  if (!live.devices.memballoon || live.devices.memballoon->model == BalloonModel::none) return;
  const MemBalloon& balloon = *live.devices.memballoon;
  object device{{"driver", "virtio-balloon-pci"}, {"id", balloon.info.alias}};
  if (balloon.autodeflate) device["deflate-on-oom"] = *balloon.autodeflate;
  if (balloon.free_page_reporting) device["free-page-reporting"] = *balloon.free_page_reporting;
  plug_pci(device, live, balloon.info);
  add_json(argv, "-device", device);
}

void add_rngs(std::vector<std::string>& argv, const DomainDef& live) {
  for (const Rng& rng : live.devices.rngs) {
    const std::string backend = "obj" + rng.info.alias;
    add_json(argv, "-object",
             {{"qom-type", "rng-random"},
              {"id", backend},
              {"filename", rng.file.empty() ? std::string("/dev/random") : rng.file}});
    object device{{"driver", "virtio-rng-pci"}, {"rng", backend}, {"id", rng.info.alias}};
    if (rng.rate_bytes) {
      device["max-bytes"] = *rng.rate_bytes;
      device["period"] = rng.rate_period_ms.value_or(1000);
    }
    plug_pci(device, live, rng.info);
    add_json(argv, "-device", device);
  }
}

void add_panics(std::vector<std::string>& argv, const DomainDef& live) {
  for (const Panic& panic : live.devices.panics) {
    object device{{"driver", "pvpanic"}};
    if (const auto* at = std::get_if<IsaAddress>(&panic.info.address); at != nullptr && at->iobase != 0)
      device["ioport"] = at->iobase;
    add_json(argv, "-device", device);
  }
}

}  // namespace

void add_controllers(std::vector<std::string>& argv, const DomainDef& live) {
  // Buses before what sits on them.
  for (const Controller& c : live.devices.controllers)
    if (c.type == ControllerType::pci) add_controller(argv, live, c);
  for (const Controller& c : live.devices.controllers)
    if (c.type != ControllerType::pci) add_controller(argv, live, c);
}

std::string watched_console(const DomainDef& live) {
  if (!live.devices.serials.empty()) return live.devices.serials.front().info.alias;
  for (const Console& console : live.devices.consoles)
    if (console.target == ConsoleTarget::virtio) return console.info.alias;
  return {};
}

void add_devices(std::vector<std::string>& argv, const DomainDef& live, const LaunchPaths& paths) {
  add_interfaces(argv, live, paths.tap_fds);
  add_packet_log(argv, live, paths.packet_log);
  add_chardevs(argv, live, paths);
  add_inputs(argv, live);
  add_graphics(argv, live);
  add_videos(argv, live);
  add_balloon(argv, live);
  add_rngs(argv, live);
  add_panics(argv, live);
}

}  // namespace vireo::qemu
