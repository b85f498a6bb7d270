// QEMU's event names and their fields.
#include "qemu/guest_event.hpp"

namespace vireo::qemu {

namespace {

using Kind = ports::GuestEvent::Kind;

const std::map<std::string, Kind, std::less<>>& kinds() {
  static const std::map<std::string, Kind, std::less<>> all{{"RESUME", Kind::Resumed},
                                                            {"STOP", Kind::Stopped},
                                                            {"SHUTDOWN", Kind::PowerdownDone},
                                                            {"RESET", Kind::Reset},
                                                            {"WATCHDOG", Kind::Watchdog},
                                                            {"GUEST_PANICKED", Kind::Panicked},
                                                            {"BLOCK_IO_ERROR", Kind::IoError},
                                                            {"RTC_CHANGE", Kind::RtcChange},
                                                            {"BALLOON_CHANGE", Kind::BalloonChanged},
                                                            {"VSERPORT_CHANGE", Kind::ChannelChanged}};
  return all;
}

}  // namespace

std::optional<ports::GuestEvent> guest_event_of(const qmp::Event& event) {
  const auto kind = kinds().find(event.name);
  if (kind == kinds().end()) return std::nullopt;
  ports::GuestEvent told{.kind = kind->second};
  if (const auto* guest = event.data.if_contains("guest"); guest && guest->is_bool()) told.by_guest = guest->get_bool();
  if (const auto* offset = event.data.if_contains("offset"); offset && offset->is_int64())
    told.rtc_offset_s = offset->get_int64();
  if (const auto* open = event.data.if_contains("open"); open && open->is_bool()) told.connected = open->get_bool();
  if (const auto* actual = event.data.if_contains("actual"); actual && actual->is_int64() && actual->get_int64() >= 0)
    told.memory_kib = static_cast<std::uint64_t>(actual->get_int64()) / 1024;
  if (const auto* id = event.data.if_contains("id"); id && id->is_string() && told.kind == Kind::ChannelChanged)
    told.detail = std::string(id->get_string());
  if (told.kind == Kind::IoError)
    // "device" is empty for disks that were given as block nodes: those are known by the device's path.
    for (const auto* key : {"device", "qom-path", "node-name"})
      if (const auto* text = event.data.if_contains(key); text && text->is_string() && told.detail.empty())
        told.detail = std::string(text->get_string());
  return told;
}

}  // namespace vireo::qemu
