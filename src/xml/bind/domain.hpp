// The binding of <domain> itself: its own elements, in libvirt's order, and the parts below it.
#pragma once

#include <libvirt/libvirt.h>

#include "model/definition.hpp"
#include "xml/bind/devices.hpp"
#include "xml/bind/machine.hpp"
#include "xml/guest_wishes.hpp"
#include "xml/metadata.hpp"

namespace vireo::xml {

// "b", "KiB", "MB", "G" …: how many bytes, or nothing for a word that is no unit. As libvirt: KB is 1000, K is 1024.
std::optional<std::uint64_t> unit_bytes(std::string_view unit);

// The amount that an element like <memory unit='MiB'>128</memory> says; written in KiB.
template <class IO, class T>
void bind_amount(IO& sub, T& amount_kib) {
  if constexpr (IO::reading) {
    const std::string unit(sub.raw("unit").value_or("KiB"));
    std::uint64_t amount = 0;
    sub.text_number(amount);
    const auto bytes = unit_bytes(unit);
    if (!bytes) return sub.fail(VIR_ERR_INVALID_ARG, fmt::format("unknown suffix '{}'", unit), VIR_FROM_NONE);
    const auto total = static_cast<unsigned __int128>(amount) * *bytes;
    if (total > static_cast<unsigned __int128>(UINT64_MAX) - 1023)
      return sub.fail(VIR_ERR_OVERFLOW, fmt::format("value too large: {}{}", amount, unit), VIR_FROM_NONE);
    amount_kib = (static_cast<std::uint64_t>(total) + 1023) / 1024;
  } else {
    sub.constant("unit", "KiB");
    sub.text_number(amount_kib);
  }
}

template <class IO, class T>
void bind_memory(IO& io, std::string_view name, T& memory_kib) {
  io.child(name, true, [&](auto& sub) { bind_amount(sub, memory_kib); });
}

// A limit on memory. libvirt's clients say "unlimited" with the largest amount there is, which is no limit.
template <class IO, class T>
void bind_memory_limit(IO& io, std::string_view name, T& limit_kib) {
  if constexpr (IO::reading) {
    std::uint64_t amount_kib = 0;
    if (io.child(name, true, [&](auto& sub) { bind_amount(sub, amount_kib); }) &&
        amount_kib < VIR_DOMAIN_MEMORY_PARAM_UNLIMITED)
      limit_kib = amount_kib;
  } else {
    io.child(name, limit_kib.has_value(), [&](auto& sub) { bind_amount(sub, *limit_kib); });
  }
}

template <class IO, class T>
void bind_memtune(IO& io, T& tune) {
  bind_memory_limit(io, "hard_limit", tune.hard_limit_kib);
  bind_memory_limit(io, "soft_limit", tune.soft_limit_kib);
  bind_memory_limit(io, "swap_hard_limit", tune.swap_hard_limit_kib);
}

// <name>number</name>
template <class IO, class T>
void bind_tunable(IO& io, std::string_view name, T& value, std::string_view what) {
  if constexpr (IO::reading) {
    std::string text;
    io.text_child(name, text);
    if (text.empty()) return;
    value = parse_number<typename T::value_type>(text);
    if (!value) io.fail(VIR_ERR_XML_ERROR, fmt::format("can't parse cputune {} value", what), VIR_FROM_DOMAIN);
  } else if (value) {
    io.text_child(name, std::to_string(*value));
  }
}

template <class IO, class T>
void bind_cputune(IO& io, T& tune) {
  bind_tunable(io, "shares", tune.shares, "shares");
  bind_tunable(io, "period", tune.period_us, "period");
  bind_tunable(io, "quota", tune.quota_us, "quota");
  bind_tunable(io, "global_period", tune.global_period_us, "global period");
  bind_tunable(io, "global_quota", tune.global_quota_us, "global quota");
  if constexpr (IO::reading) {  // 0: as if it were not there
    for (auto* period : {&tune.period_us, &tune.global_period_us})
      if (*period == 0U) period->reset();
    for (auto* quota : {&tune.quota_us, &tune.global_quota_us})
      if (*quota == 0) quota->reset();
  }
}

template <class IO, class T>
void bind_vcpu(IO& io, T& def) {
  io.child("vcpu", true, [&](auto& sub) {
    sub.attr("placement", def.vcpu_placement);
    sub.number("current", def.vcpus_current);
    if constexpr (IO::reading) {
      std::string text;
      sub.text(text);
      const auto first = text.find_first_not_of(" \t\n"), last = text.find_last_not_of(" \t\n");
      const auto count = first == std::string::npos
                             ? std::optional(1U)
                             : parse_number<unsigned>(std::string_view(text).substr(first, last - first + 1));
      if (!count) return sub.fail(VIR_ERR_XML_ERROR, "maximum vcpus count must be an integer", VIR_FROM_DOMAIN);
      def.vcpus_max = *count;
      if (def.vcpus_current == def.vcpus_max) def.vcpus_current.reset();
    } else {
      sub.text_number(def.vcpus_max);
    }
  });
}

template <class IO, class T>
void bind_identity(IO& io, T& def) {
  if constexpr (IO::reading) {
    if (const auto type = io.raw("type")) {
      const auto known = model::value_of<model::VirtType>(*type);
      if (!known)
        return io.fail(VIR_ERR_CONFIG_UNSUPPORTED, fmt::format("invalid domain type {}", *type), VIR_FROM_DOMAIN);
      def.type = *known;
    }
    std::optional<int> id;
    io.number("id", id);
    if (io.live()) def.id = id;
    io.text_child("name", def.name);
    if (def.name.empty()) return io.fail(VIR_ERR_NO_NAME, {}, VIR_FROM_DOMAIN);
    if (!io.node().attribute("type"))
      return io.fail(VIR_ERR_XML_ERROR, "Missing required attribute 'type' in element 'domain'");
    std::string uuid;
    if (!io.child("uuid", true, [&](auto& sub) { sub.text(uuid); })) {
      def.uuid = Uuid::random();
    } else if (const auto parsed = Uuid::parse(uuid)) {
      def.uuid = *parsed;
    } else {
      io.fail(VIR_ERR_INTERNAL_ERROR, "malformed uuid element", VIR_FROM_DOMAIN);
    }
  } else {
    io.word("type", def.type);
    if (io.live()) io.number("id", def.id);
    io.text_child("name", def.name);
    io.text_child("uuid", def.uuid.text());
  }
  io.text_child("title", def.title);
  io.text_child("description", def.description);
}

template <class IO, class T>
void bind_domain(IO& io, T& def) {
  bind_identity(io, def);
  if constexpr (IO::reading)
    io.child("metadata", true, [&](auto& sub) {
      def.metadata = read_metadata(sub.node());
      if (auto up = up_wishes_of(def.metadata))
        def.up = std::move(*up);
      else
        sub.fail(up.error().code, std::move(up.error().detail), VIR_FROM_DOMAIN);
    });
  else
    io.child("metadata", !def.metadata.empty(), [&](auto& sub) {
      for (const auto& element : def.metadata) sub.verbatim(layout_metadata(element, sub.depth()));
    });
  bind_memory(io, "memory", def.memory_kib);
  bind_memory(io, "currentMemory", def.current_memory_kib);
  io.child("memtune", def.memtune != model::MemoryTune{}, [&](auto& sub) { bind_memtune(sub, def.memtune); });
  io.child("memoryBacking", def.memory_locked, [&](auto& sub) { sub.flag("locked", def.memory_locked); });
  bind_vcpu(io, def);
  io.child("cputune", def.cputune != model::CpuTune{}, [&](auto& sub) { bind_cputune(sub, def.cputune); });
  io.child("os", true, [&](auto& sub) { bind_os(sub, def.os); });
  io.child("features", def.features != model::Features{}, [&](auto& sub) { bind_features(sub, def.features); });
  if constexpr (IO::reading)
    io.child("cpu", true, [&](auto& sub) { bind_cpu(sub, def.cpu.emplace()); });
  else
    io.child("cpu", def.cpu.has_value(), [&](auto& sub) { bind_cpu(sub, *def.cpu); });
  io.child("clock", true, [&](auto& sub) { bind_clock(sub, def.clock); });
  bind_word_child(io, "on_poweroff", def.on_poweroff, VIR_ERR_CONFIG_UNSUPPORTED, "unknown on_poweroff action:");
  bind_word_child(io, "on_reboot", def.on_reboot, VIR_ERR_CONFIG_UNSUPPORTED, "unknown on_reboot action:");
  bind_word_child(io, "on_crash", def.on_crash, VIR_ERR_CONFIG_UNSUPPORTED, "unknown on_crash action:");
  bind_word_child(io, "on_lockfailure", def.on_lockfailure, VIR_ERR_CONFIG_UNSUPPORTED,
                  "unknown on_lockfailure action:");
  io.child("pm", def.pm != model::PowerManagement{}, [&](auto& sub) { bind_pm(sub, def.pm); });
  io.child("devices", true, [&](auto& sub) { bind_devices(sub, def.devices); });
}

}  // namespace vireo::xml
