// The guest as such: who it is, what it does, its memory and processors, and what may be asked of it.
#include "presence/nodes.hpp"

#include <array>

#include "presence/sheet.hpp"

namespace vireo::presence {
namespace {

using model::DomainDef, model::DomainView;

constexpr auto device_backends = std::to_array<std::string_view>({"console", "qdisk", "vfb", "vif", "vkbd"});

void put_guest(const DomainView& view, Sheet& sheet) {
  sheet.folder(sheet.home, sheet.guest_reads);
  sheet.put(sheet.home, "vm", sheet.machine);
  sheet.put(sheet.home, "name", view.name);
  sheet.put(sheet.home, "domid", view.id);
  sheet.put(sheet.home, "state", std::string(state_word(view.state)));
  if (view.pid > 0) sheet.put(sheet.home, "image/device-model-pid", view.pid);
  // What Xen's guests may write themselves.
  for (const auto* name : {"attr", "control/shutdown", "data", "drivers", "error", "feature"})
    sheet.folder(fmt::format("{}/{}", sheet.home, name), sheet.guest_owns);
}

void put_machine(const DomainDef& def, Sheet& sheet) {
  sheet.put(sheet.home, "memory/static-max", def.memory_kib);
  sheet.put(sheet.home, "memory/target", def.current_memory_kib);
  std::uint64_t vram_kib = 0;
  for (const auto& video : def.devices.videos) vram_kib += video.vram_kib.value_or(0);
  if (vram_kib > 0) sheet.put(sheet.home, "memory/videoram", vram_kib);
  for (unsigned i = 0; i < def.vcpus_max; ++i)
    sheet.put(sheet.home, fmt::format("cpu/{}/availability", i), i < def.vcpus() ? "online" : "offline");
  sheet.put(sheet.home, "platform/acpi", def.features.acpi ? 1 : 0);
}

std::string seconds_and_microseconds(std::chrono::system_clock::time_point time) {
  const auto all_us = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  return fmt::format("{}.{:06}", all_us / 1'000'000, all_us % 1'000'000);
}

void put_vm(const DomainView& view, const DomainDef& def, Sheet& sheet) {
  sheet.folder(sheet.machine, sheet.daemon_only);
  sheet.put(sheet.machine, "uuid", view.uuid.text());
  sheet.put(sheet.machine, "name", view.name);
  if (view.boot) sheet.put(sheet.machine, "start_time", seconds_and_microseconds(view.boot->began));
  sheet.put(sheet.machine, "image/ostype", def.os.type);
  const std::pair<const char*, const std::string*> files[] = {
      {"kernel", &def.os.kernel}, {"ramdisk", &def.os.initrd}, {"cmdline", &def.os.cmdline}};
  for (const auto& [name, value] : files)
    if (!value->empty()) sheet.put(sheet.machine, fmt::format("image/{}", name), *value);
  if (def.clock.offset == model::ClockOffset::utc) sheet.put(sheet.machine, "rtc/timeoffset", 0);
}

}  // namespace

std::string_view state_word(int state) {
  static constexpr auto words = std::to_array<std::string_view>(
      {"no state", "running", "idle", "paused", "in shutdown", "shut off", "crashed", "pmsuspended"});
  return words[state >= 0 && static_cast<std::size_t>(state) < words.size() ? static_cast<std::size_t>(state) : 0];
}

std::vector<GuestNode> nodes_of(const DomainView& view) {
  if (!view.active()) return {};
  Sheet sheet(view);
  put_guest(view, sheet);
  put_machine(view.current(), sheet);
  put_vm(view, view.current(), sheet);
  put_devices(view.current(), sheet);
  return sheet.finish();
}

// Compares whatever is read above of a view.
bool described_alike(const DomainView& view, const DomainView& other) {
  const auto began = [](const DomainView& v) { return v.boot ? std::optional(v.boot->began) : std::nullopt; };
  return view.id == other.id && view.uuid == other.uuid && view.live == other.live && view.name == other.name &&
         view.state == other.state && view.pid == other.pid && began(view) == began(other);
}

std::vector<std::string> places_of(const DomainView& view) {
  if (!view.active()) return {};
  const Sheet sheet(view);
  std::vector<std::string> places{sheet.home, sheet.machine};
  for (const auto kind : device_backends) places.push_back(sheet.backends(kind));
  return places;
}

}  // namespace vireo::presence
