// Bindings of what a guest's machine is, apart from its devices: os, features, cpu, clock, power management.
#pragma once

#include "model/definition.hpp"
#include "xml/bind/common.hpp"

namespace vireo::xml {

template <class IO, class T>
void bind_os(IO& io, T& os) {
  io.child("type", true, [&](auto& sub) {
    sub.attr("arch", os.arch);
    sub.attr("machine", os.machine);
    sub.text(os.type);
  });
  io.text_child("kernel", os.kernel);
  io.text_child("initrd", os.initrd);
  io.text_child("cmdline", os.cmdline);
  io.list("boot", os.boot, [](auto& sub, auto& device) {
    if constexpr (IO::reading)
      if (!sub.node().attribute("dev"))
        return sub.fail(VIR_ERR_XML_ERROR, "Missing required attribute 'dev' in element 'boot'");
    sub.word("dev", device);
  });
  io.child("bootmenu", os.boot_menu.has_value(), [&](auto& sub) {
    sub.yes_no("enable", os.boot_menu);
    sub.number("timeout", os.boot_menu_timeout_ms);
  });
  // As in libvirt, the time belongs to a menu that is shown.
  if constexpr (IO::reading)
    if (os.boot_menu != true) os.boot_menu_timeout_ms.reset();
  io.child("bios", os.bios_useserial.has_value() || os.bios_reboot_timeout_ms.has_value(), [&](auto& sub) {
    sub.yes_no("useserial", os.bios_useserial);
    sub.number("rebootTimeout", os.bios_reboot_timeout_ms);
  });
}

template <class IO, class T>
void bind_features(IO& io, T& features) {
  io.flag("acpi", features.acpi);
  const bool apic = io.child("apic", features.apic, [&](auto& sub) { sub.on_off("eoi", features.apic_eoi); });
  if constexpr (IO::reading) features.apic = apic;
  io.flag("pae", features.pae);
  io.child("kvm", features.kvm_hidden.has_value(), [&](auto& sub) { bind_switch(sub, "hidden", features.kvm_hidden); });
  bind_switch(io, "pmu", features.pmu);
  bind_switch(io, "vmport", features.vmport);
  bind_switch(io, "smm", features.smm);
  if constexpr (IO::reading) io.no_other_children("unexpected feature");
}

template <class IO, class T>
void bind_topology(IO& io, T& topology) {
  io.number("sockets", topology.sockets);
  io.number("dies", topology.dies);
  io.number("cores", topology.cores);
  io.number("threads", topology.threads);
}

template <class IO, class T>
void bind_cpu(IO& io, T& cpu) {
  io.word("mode", cpu.mode, "Invalid mode attribute");
  io.word("match", cpu.match);
  io.word("check", cpu.check);
  io.on_off("migratable", cpu.migratable);
  io.child("model", !cpu.model.empty() || cpu.fallback != model::CpuFallback::unset, [&](auto& sub) {
    sub.word("fallback", cpu.fallback);
    sub.text(cpu.model);
  });
  io.text_child("vendor", cpu.vendor);
  if constexpr (IO::reading)
    io.child("topology", true, [&](auto& sub) { bind_topology(sub, cpu.topology.emplace()); });
  else
    io.child("topology", cpu.topology.has_value(), [&](auto& sub) { bind_topology(sub, *cpu.topology); });
  io.list("feature", cpu.features, [](auto& sub, auto& feature) {
    sub.word("policy", feature.policy);
    sub.attr("name", feature.name);
  });
}

template <class IO, class T>
void bind_clock(IO& io, T& clock) {
  io.word("offset", clock.offset, "unknown clock offset");
  io.list("timer", clock.timers, [](auto& sub, auto& timer) {
    sub.word("name", timer.name);
    sub.yes_no("present", timer.present);
    sub.word("tickpolicy", timer.tick_policy);
    sub.word("track", timer.track);
  });
}

template <class IO, class T>
void bind_pm(IO& io, T& pm) {
  const auto one = [&](std::string_view name, auto& value) {
    io.child(name, value.has_value(), [&](auto& sub) { sub.yes_no("enabled", value); });
  };
  one("suspend-to-mem", pm.suspend_to_mem);
  one("suspend-to-disk", pm.suspend_to_disk);
}

}  // namespace vireo::xml
