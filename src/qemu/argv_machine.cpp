// Machine, accelerator, processors, memory, clock, boot: what QEMU is told before its devices.
#include <algorithm>

#include "qemu/argv.hpp"
#include "qemu/argv_words.hpp"
#include "qemu/complete.hpp"

namespace vireo::qemu {
namespace {

using namespace model;

const char* on_off(bool on) { return on ? "on" : "off"; }

const Timer* find_timer(const DomainDef& live, TimerName name) {
  const auto at = std::ranges::find(live.clock.timers, name, &Timer::name);
  return at == live.clock.timers.end() ? nullptr : &*at;
}

std::string machine_word(const DomainDef& live) {
  std::string word = live.os.machine + ",usb=off";
  const Features& features = live.features;
  if (features.vmport) word += fmt::format(",vmport={}", on_off(*features.vmport));
  if (features.smm) word += fmt::format(",smm={}", on_off(*features.smm));
  word += ",dump-guest-core=off";
  if (const Timer* const hpet = find_timer(live, TimerName::hpet); hpet != nullptr && hpet->present)
    word += fmt::format(",hpet={}", on_off(*hpet->present));
  word += fmt::format(",acpi={}", on_off(features.acpi));
  return word;
}

std::string cpu_word(const DomainDef& live) {
  const Cpu& cpu = live.cpu.value();
  const bool kvm = live.type == VirtType::kvm;
  std::string word;
  switch (cpu.mode) {
    case CpuMode::host_passthrough:
      word = "host";
      break;
    // The host's processor as far as the accelerator can give it.
    case CpuMode::host_model:
      word = kvm ? "host" : "max";
      break;
    case CpuMode::maximum:
      word = "max";
      break;
    default:
      word = escape_commas(cpu.model);
      break;
  }
  if (cpu.migratable && (cpu.mode == CpuMode::host_passthrough || cpu.mode == CpuMode::maximum))
    word += fmt::format(",migratable={}", on_off(*cpu.migratable));
  if (!cpu.vendor.empty()) word += fmt::format(",vendor={}", escape_commas(cpu.vendor));
  if (live.features.pmu) word += fmt::format(",pmu={}", on_off(*live.features.pmu));
  if (live.features.kvm_hidden.value_or(false)) word += ",kvm=off";
  if (live.features.apic_eoi) word += fmt::format(",kvm-pv-eoi={}", on_off(*live.features.apic_eoi));
  if (const Timer* const clock = find_timer(live, TimerName::kvmclock); clock != nullptr && clock->present)
    word += fmt::format(",kvmclock={}", on_off(*clock->present));
  for (const CpuFeature& feature : cpu.features) {
    const bool off = feature.policy == CpuFeaturePolicy::disable || feature.policy == CpuFeaturePolicy::forbid;
    word += fmt::format(",{}={}", escape_commas(feature.name), on_off(!off));
  }
  return word;
}

std::string smp_word(const DomainDef& live) {
  std::string word = fmt::format("{}", live.vcpus());
  if (live.vcpus() != live.vcpus_max) word += fmt::format(",maxcpus={}", live.vcpus_max);
  if (const auto& topology = live.cpu->topology)
    return word + fmt::format(",sockets={},dies={},cores={},threads={}", topology->sockets, topology->dies,
                              topology->cores, topology->threads);
  return word + fmt::format(",sockets={},cores=1,threads=1", live.vcpus_max);
}

std::string rtc_word(const DomainDef& live) {
  std::string word = fmt::format("base={}", name_of(live.clock.offset));
  if (const Timer* const rtc = find_timer(live, TimerName::rtc)) {
    if (rtc->track == TimerTrack::guest) word += ",clock=vm";
    if (rtc->track == TimerTrack::wall) word += ",clock=host";
    if (rtc->tick_policy == TickPolicy::catchup) word += ",driftfix=slew";
  }
  return word;
}

}  // namespace

void add_machine(std::vector<std::string>& argv, const DomainDef& live) {
  const auto add = [&](auto... words) { (argv.emplace_back(words), ...); };
  add("-machine", machine_word(live));
  add("-accel", live.type == VirtType::kvm ? "kvm" : "tcg");
  add("-cpu", cpu_word(live));
  add("-m", fmt::format("size={}k", live.memory_kib));
  add("-overcommit", live.memory_locked ? "mem-lock=on" : "mem-lock=off");
  add("-smp", smp_word(live));
}

void add_boot_and_time(std::vector<std::string>& argv, const DomainDef& live) {
  const auto add = [&](auto... words) { (argv.emplace_back(words), ...); };
  add("-rtc", rtc_word(live));
  if (const Timer* const pit = find_timer(live, TimerName::pit);
      pit != nullptr && live.type == VirtType::kvm && pit->tick_policy == TickPolicy::delay)
    add("-global", "kvm-pit.lost_tick_policy=delay");
  add("-no-shutdown");
  if (live.on_reboot == LifecycleAction::destroy) add("-no-reboot");
  const char* const pm = is_q35(live) ? "ICH9-LPC" : "PIIX4_PM";
  if (live.pm.suspend_to_mem) add("-global", fmt::format("{}.disable_s3={}", pm, *live.pm.suspend_to_mem ? 0 : 1));
  if (live.pm.suspend_to_disk) add("-global", fmt::format("{}.disable_s4={}", pm, *live.pm.suspend_to_disk ? 0 : 1));
  std::string boot;
  if (live.os.boot_menu) boot += fmt::format("menu={},", on_off(*live.os.boot_menu));
  if (live.os.boot_menu.value_or(false) && live.os.boot_menu_timeout_ms)
    boot += fmt::format("splash-time={},", *live.os.boot_menu_timeout_ms);
  if (live.os.bios_reboot_timeout_ms) boot += fmt::format("reboot-timeout={},", *live.os.bios_reboot_timeout_ms);
  add("-boot", boot + "strict=on");
  if (!live.os.kernel.empty()) add("-kernel", live.os.kernel);
  if (!live.os.initrd.empty()) add("-initrd", live.os.initrd);
  if (!live.os.cmdline.empty()) add("-append", live.os.cmdline);
}

BootIndexes boot_indexes(const DomainDef& live) {
  const Devices& devices = live.devices;
  BootIndexes indexes{.disks = std::vector<unsigned>(devices.disks.size()),
                      .interfaces = std::vector<unsigned>(devices.interfaces.size())};
  for (std::size_t i = 0; i < devices.disks.size(); ++i)
    indexes.disks[i] = devices.disks[i].info.boot_order.value_or(0);
  for (std::size_t i = 0; i < devices.interfaces.size(); ++i)
    indexes.interfaces[i] = devices.interfaces[i].info.boot_order.value_or(0);
  unsigned order = 0;
  for (const BootDevice device : live.os.boot) {
    ++order;
    if (device == BootDevice::network && !devices.interfaces.empty() && indexes.interfaces.front() == 0)
      indexes.interfaces.front() = order;
    const auto kind = device == BootDevice::cdrom ? DiskKind::cdrom : DiskKind::disk;
    if (device != BootDevice::cdrom && device != BootDevice::hd) continue;
    const auto disk = std::ranges::find(devices.disks, kind, &Disk::kind);
    if (disk == devices.disks.end()) continue;
    unsigned& index = indexes.disks[static_cast<std::size_t>(disk - devices.disks.begin())];
    if (index == 0) index = order;
  }
  return indexes;
}

}  // namespace vireo::qemu
