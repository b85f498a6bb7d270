// The frame of completion and what concerns the guest as a whole: machine, CPU, memory, boot.
#include "qemu/complete.hpp"

#include <algorithm>

#include "qemu/graphics.hpp"

namespace vireo::qemu {
namespace {

std::unexpected<Error> unsupported(std::string detail) { return fail(VIR_ERR_CONFIG_UNSUPPORTED, std::move(detail)); }

Result<void> complete_machine(model::DomainDef& def, const Capabilities& caps) {
  using model::VirtType;
  if (def.devices.emulator.empty()) def.devices.emulator = caps.binary;
  if (def.os.arch.empty()) def.os.arch = caps.arch;
  if (def.os.arch != caps.arch)
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                     fmt::format("Unknown architecture {}; '{}' emulates {}", def.os.arch, caps.binary, caps.arch));
  if (def.type == VirtType::test || (def.type == VirtType::kvm && !caps.kvm))
    return unsupported(fmt::format("Emulator '{}' does not support virt type '{}'{}", def.devices.emulator,
                                   model::name_of(def.type),
                                   def.type == VirtType::kvm ? "; is /dev/kvm there? type='qemu' needs none" : ""));
  const std::string machine = caps.canonical_machine(def.os.machine);
  const Machine* const known = caps.find_machine(machine);
  if (known == nullptr)
    return unsupported(fmt::format("Emulator '{}' does not support machine type '{}'", def.devices.emulator, machine));
  def.os.machine = machine;
  if (!machine.starts_with("pc-i440fx-") && !is_q35(def))
    return unsupported(fmt::format("machine type '{}' is not supported by Vireo yet; use pc or q35 in domain '{}'",
                                   machine, def.name));
  if (def.vcpus_max > static_cast<unsigned>(known->max_cpus))
    return unsupported(fmt::format("Maximum CPUs greater than specified machine type limit {}", known->max_cpus));
  return {};
}

void complete_cpu(model::DomainDef& def) {
  using namespace model;
  if (!def.cpu) def.cpu.emplace();
  Cpu& cpu = *def.cpu;
  const bool kvm = def.type == VirtType::kvm;
  if (cpu.mode == CpuMode::unset) cpu.mode = CpuMode::custom;
  if (cpu.mode == CpuMode::custom) {
    if (cpu.match == CpuMatch::unset) cpu.match = CpuMatch::exact;
    if (cpu.model.empty()) {
      // What QEMU itself takes when nobody says.
      cpu.model = "qemu64";
      cpu.fallback = CpuFallback::forbid;
      if (cpu.check == CpuCheck::unset) cpu.check = CpuCheck::none;
    }
    if (cpu.fallback == CpuFallback::unset) cpu.fallback = CpuFallback::allow;
  }
  if (cpu.check == CpuCheck::unset) {
    if (cpu.mode == CpuMode::host_model || (cpu.mode == CpuMode::custom && kvm))
      cpu.check = CpuCheck::partial;
    else
      cpu.check = CpuCheck::none;
  }
  if (cpu.mode == CpuMode::host_passthrough && !cpu.migratable) cpu.migratable = true;
}

// A guest boots from something: per-device orders win, otherwise the first hard disk.
void complete_boot(model::DomainDef& def) {
  const auto ordered = [](const auto& device) { return device.info.boot_order.has_value(); };
  if (def.os.boot.empty() && std::ranges::none_of(def.devices.disks, ordered) &&
      std::ranges::none_of(def.devices.interfaces, ordered))
    def.os.boot.push_back(model::BootDevice::hd);
}

Result<void> check_mode(const model::DomainDef& def) {
  if (def.cpu->mode == model::CpuMode::host_passthrough && def.type != model::VirtType::kvm)
    return unsupported(
        fmt::format("CPU mode 'host-passthrough' for {} guest is only supported with kvm; use "
                    "mode='maximum' in domain '{}'",
                    model::name_of(def.type), def.name));
  return {};
}

}  // namespace

bool is_q35(const model::DomainDef& def) { return def.os.machine.starts_with("pc-q35-"); }

Result<model::DomainDef> complete(model::DomainDef def, const Capabilities& caps) {
  if (auto r = complete_machine(def, caps); !r) return pass_on(r);
  if (def.current_memory_kib == 0 || def.current_memory_kib > def.memory_kib) def.current_memory_kib = def.memory_kib;
  if (def.vcpu_placement.empty()) def.vcpu_placement = "static";
  complete_boot(def);
  complete_cpu(def);
  if (auto r = check_mode(def); !r) return pass_on(r);
  if (def.on_poweroff == model::LifecycleAction::unset) def.on_poweroff = model::LifecycleAction::destroy;
  if (def.on_reboot == model::LifecycleAction::unset) def.on_reboot = model::LifecycleAction::restart;
  if (def.on_crash == model::LifecycleAction::unset) def.on_crash = model::LifecycleAction::destroy;
  if (auto r = complete_devices(def); !r) return pass_on(r);
  if (auto r = check_spice(def, caps); !r) return pass_on(r);
  if (auto r = complete_controllers(def); !r) return pass_on(r);
  if (auto r = complete_addresses(def); !r) return pass_on(r);
  if (auto r = complete_pci(def); !r) return pass_on(r);
  return def;
}

}  // namespace vireo::qemu
