// PCI addresses. First what was given is reserved, then what QEMU's machines hold in fixed places (the PIIX3 or ICH9
// functions, the primary video card), then the rest takes the next free slot in an order that never changes: bridges,
// network, controllers, disks, balloon, random numbers, further video, input.
//
// On i440fx every device shares the one bus. On Q35 a PCI Express device has a root port to itself and a conventional
// one sits behind a PCIe-to-PCI bridge; a rehearsal without the missing ports tells which to add, and because bridges
// come first, the real pass is run anew with them in place.
#include <algorithm>
#include <map>

#include "qemu/complete.hpp"

namespace vireo::qemu {
namespace {

using namespace model;

enum class Connection { express, conventional };

bool is_root(const Controller& c) { return c.model == "pci-root" || c.model == "pcie-root"; }

// One device that wants an address.
struct Seat {
  DeviceInfo* info;
  Connection connection;
  bool is_root_port = false;
};

Connection connection_of(const Interface& nic) {
  return nic.model.starts_with("virtio") || nic.model == "e1000e" ? Connection::express : Connection::conventional;
}

Connection connection_of(const Controller& c) {
  if (c.type == ControllerType::usb) return c.model.ends_with("xhci") ? Connection::express : Connection::conventional;
  if (c.type == ControllerType::sata || c.model == "lsilogic") return Connection::conventional;
  return Connection::express;
}

// Every device with a PCI address, in the order in which free slots are given out.
std::vector<Seat> seats(Devices& devices) {
  std::vector<Seat> all;
  const auto add = [&](DeviceInfo& info, Connection connection, bool root_port = false) {
    all.push_back({&info, connection, root_port});
  };
  for (Controller& c : devices.controllers)
    if (c.type == ControllerType::pci && !is_root(c)) add(c.info, Connection::express, c.model == "pcie-root-port");
  for (Interface& nic : devices.interfaces) add(nic.info, connection_of(nic));
  for (Controller& c : devices.controllers)
    if (c.type != ControllerType::pci && c.model != "none") add(c.info, connection_of(c));
  for (Disk& disk : devices.disks)
    if (disk.bus == DiskBus::virtio) add(disk.info, Connection::express);
  if (devices.memballoon && devices.memballoon->model == BalloonModel::virtio)
    add(devices.memballoon->info, Connection::express);
  for (Rng& rng : devices.rngs) add(rng.info, Connection::express);
  for (Video& video : devices.videos)
    if (video.model != VideoModel::none)
      add(video.info, video.model == VideoModel::virtio ? Connection::express : Connection::conventional);
  for (Input& input : devices.inputs)
    if (input.bus == InputBus::virtio) add(input.info, Connection::express);
  return all;
}

struct Bus {
  std::string model;
  // The functions in use of each slot, as bits, and whether the slot's functions may be shared out one by one.
  std::array<unsigned, 32> used{};
  std::array<bool, 32> shared{};

  unsigned first_slot() const { return model == "pcie-root-port" ? 0 : 1; }
  unsigned last_slot() const { return model == "pcie-root-port" ? 0 : 31; }
  std::optional<unsigned> free_slot() const {
    for (unsigned slot = first_slot(); slot <= last_slot(); ++slot)
      if (used[slot] == 0) return slot;
    return std::nullopt;
  }
  bool takes(Connection connection) const {
    return connection == Connection::express ? model == "pcie-root-port" || model == "pci-root"
                                             : model == "pci-root" || model == "pcie-to-pci-bridge";
  }
};

class Allocator {
 public:
  // With `grow`, missing root ports and bridges are imagined and remembered.
  Allocator(DomainDef& def, bool grow) : def_(def), grow_(grow) {
    for (const Controller& c : def.devices.controllers)
      if (c.type == ControllerType::pci) buses_[*c.index].model = c.model;
  }

  Result<void> run();
  const std::vector<std::string>& grown() const { return grown_; }
  unsigned next_bus() const { return buses_.empty() ? 0 : buses_.rbegin()->first + 1; }

 private:
  Result<void> reserve(const PciAddress& address, bool root_port);
  Result<void> reserve_given();
  Result<void> seat_fixed();
  Result<void> put(DeviceInfo& info, PciAddress address);
  Result<void> seat(const Seat& seat);
  Result<void> seat_root_port(DeviceInfo& info);
  void add_bus(const char* model);
  bool is_free(unsigned slot, unsigned functions) { return (buses_[0].used[slot] & functions) == 0; }

  DomainDef& def_;
  bool grow_;
  std::map<unsigned, Bus> buses_;
  std::vector<std::string> grown_;
};

std::string text(const PciAddress& a) {
  return fmt::format("{:04x}:{:02x}:{:02x}.{:x}", a.domain, a.bus, a.slot, a.function);
}

Result<void> Allocator::reserve(const PciAddress& address, bool root_port) {
  const auto at = buses_.find(address.bus);
  if (address.domain != 0 || at == buses_.end())
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                     fmt::format("The PCI address {} lies on a bus that no controller of domain '{}' provides",
                                 text(address), def_.name));
  Bus& bus = at->second;
  if (address.slot < bus.first_slot() || address.slot > bus.last_slot())
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                     fmt::format("Invalid PCI address {}: a {} has the slots {} to {}", text(address), bus.model,
                                 bus.first_slot(), bus.last_slot()));
  const unsigned bit = 1U << address.function;
  if ((bus.used[address.slot] & bit) != 0)
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                     fmt::format("Attempted double use of PCI Address {}", text(address)));
  bus.used[address.slot] |= bit;
  if (root_port) bus.shared[address.slot] = true;
  return {};
}

Result<void> Allocator::put(DeviceInfo& info, PciAddress address) {
  if (auto r = reserve(address, false); !r) return r;
  info.address = address;
  return {};
}

Result<void> Allocator::reserve_given() {
  for (const Seat& seat : seats(def_.devices)) {
    if (!seat.info->has_address()) continue;
    const auto* pci = std::get_if<PciAddress>(&seat.info->address);
    if (pci == nullptr)
      return fail_from(VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                       fmt::format("a PCI device of domain '{}' has an address of another type", def_.name));
    if (auto r = reserve(*pci, seat.is_root_port); !r) return r;
  }
  return {};
}

// What the chipset holds where it always is. Whatever a user put there before it is the clash's loser by name.
Result<void> Allocator::seat_fixed() {
  Devices& devices = def_.devices;
  const unsigned south_slot = is_q35(def_) ? 0x1F : 1;
  for (Controller& c : devices.controllers) {
    if (c.info.has_address() || c.index != 0U) continue;
    if (!is_q35(def_) && c.type == ControllerType::ide) {
      if (auto r = put(c.info, {.slot = 1, .function = 1}); !r) return r;
    } else if (!is_q35(def_) && c.type == ControllerType::usb && c.model == "piix3-uhci") {
      if (auto r = put(c.info, {.slot = 1, .function = 2}); !r) return r;
    } else if (is_q35(def_) && c.type == ControllerType::sata) {
      if (auto r = put(c.info, {.slot = 0x1F, .function = 2}); !r) return r;
    }
  }
  // The rest of the south bridge is not for other devices: PIIX3 fills its slot, ICH9 leaves free functions unused.
  buses_[0].used[south_slot] |= 0xFFU;
  if (!devices.videos.empty() && devices.videos.front().model != VideoModel::none &&
      !devices.videos.front().info.has_address()) {
    const unsigned slot = is_q35(def_) ? 1 : 2;
    if (!is_free(slot, 0xFFU))
      return fail_from(
          VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
          fmt::format("PCI address 0000:00:{:02x}.0 is in use, Vireo needs it for the primary video card", slot));
    return put(devices.videos.front().info, {.slot = slot});
  }
  return {};
}

void Allocator::add_bus(const char* model) {
  buses_[next_bus()].model = model;
  grown_.emplace_back(model);
}

// Root ports share a slot's eight functions.
Result<void> Allocator::seat_root_port(DeviceInfo& info) {
  Bus& root = buses_[0];
  for (unsigned slot = 1; slot <= 31; ++slot) {
    if (root.used[slot] != 0 && !root.shared[slot]) continue;
    for (unsigned function = 0; function < 8; ++function) {
      if ((root.used[slot] & (1U << function)) != 0) continue;
      const PciAddress address{
          .slot = slot, .function = function, .multifunction = function == 0 ? std::optional(true) : std::nullopt};
      info.address = address;
      return reserve(address, true);
    }
  }
  return fail(VIR_ERR_CONFIG_UNSUPPORTED,
              fmt::format("domain '{}' has more PCI devices than pcie.0 has room for", def_.name));
}

Result<void> Allocator::seat(const Seat& seat) {
  if (seat.is_root_port) return seat_root_port(*seat.info);
  for (;;) {
    for (auto& [index, bus] : buses_)
      if (bus.takes(seat.connection))
        if (const auto slot = bus.free_slot()) return put(*seat.info, {.bus = index, .slot = *slot});
    if (!grow_ || !is_q35(def_) || buses_.size() > 200)
      return fail_from(VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                       fmt::format("No more available PCI slots in domain '{}'; use Q35 for more devices", def_.name));
    if (seat.connection == Connection::conventional) {
      // The bridge takes a root port; one is added for it if none is free.
      const auto port = std::ranges::find_if(buses_, [](const auto& entry) {
        return entry.second.model == "pcie-root-port" && entry.second.used[0] == 0;
      });
      if (port == buses_.end()) add_bus("pcie-root-port");
      std::ranges::find_if(buses_, [](const auto& entry) {
        return entry.second.model == "pcie-root-port" && entry.second.used[0] == 0;
      })->second.used[0] = 1;
      add_bus("pcie-to-pci-bridge");
    } else {
      add_bus("pcie-root-port");
    }
  }
}

Result<void> Allocator::run() {
  if (auto r = reserve_given(); !r) return r;
  if (auto r = seat_fixed(); !r) return r;
  for (const Seat& one : seats(def_.devices))
    if (!one.info->has_address())
      if (auto r = seat(one); !r) return r;
  return {};
}

// What a root port or bridge is called in QEMU and told about itself.
void describe_bridges(Devices& devices) {
  for (Controller& c : devices.controllers) {
    if (c.type != ControllerType::pci) continue;
    if (c.model == "pcie-root-port") {
      if (c.model_name.empty()) c.model_name = "pcie-root-port";
      if (!c.chassis) c.chassis = c.index;
      const auto* at = std::get_if<PciAddress>(&c.info.address);
      if (!c.port && at != nullptr) c.port = (at->slot << 3U) + at->function;
    } else if (c.model == "pcie-to-pci-bridge" && c.model_name.empty()) {
      c.model_name = "pcie-pci-bridge";
    }
  }
}

}  // namespace

Result<void> complete_pci(DomainDef& def) {
  if (is_q35(def)) {
    DomainDef rehearsal = def;
    Allocator trial(rehearsal, true);
    const bool none_given = trial.next_bus() <= 1;
    if (auto r = trial.run(); !r) return r;
    std::vector<std::string> missing = trial.grown();
    // A guest whose ports nobody counted gets one to spare, for a device that is plugged in later.
    if (none_given && !missing.empty()) missing.emplace_back("pcie-root-port");
    unsigned next = Allocator(def, false).next_bus();
    for (std::string& model : missing)
      def.devices.controllers.push_back({.type = ControllerType::pci, .index = next++, .model = std::move(model)});
  }
  Allocator allocator(def, false);
  if (auto r = allocator.run(); !r) return r;
  describe_bridges(def.devices);
  return {};
}

}  // namespace vireo::qemu
