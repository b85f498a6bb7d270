// Defaults of what a guest shows and hears and what is typed at it: the keyboard and mouse that every PC has, video
// cards and audio.
#include <algorithm>
#include <set>

#include "qemu/complete.hpp"

namespace vireo::qemu {
namespace {

using namespace model;

std::unexpected<Error> broken(int code, std::string detail) {
  return fail_from(VIR_FROM_DOMAIN, code, std::move(detail));
}

Result<void> complete_inputs(DomainDef& def) {
  auto& inputs = def.devices.inputs;
  for (Input& input : inputs) {
    if (input.bus == InputBus::unset) input.bus = input.type == InputType::tablet ? InputBus::usb : InputBus::ps2;
    if (input.bus == InputBus::ps2 && input.type == InputType::tablet)
      return broken(VIR_ERR_INTERNAL_ERROR, "ps2 bus does not support tablet input device");
  }
  for (const InputType type : {InputType::mouse, InputType::keyboard})
    if (std::ranges::none_of(inputs, [&](const Input& i) { return i.type == type && i.bus == InputBus::ps2; }))
      inputs.push_back({.type = type, .bus = InputBus::ps2, .info = {}});
  return {};
}

Result<void> complete_video(DomainDef& def) {
  auto& videos = def.devices.videos;
  if (videos.empty() && !def.devices.graphics.empty()) videos.emplace_back();
  if (videos.size() > 1 && std::ranges::any_of(videos, [](const Video& v) { return v.model == VideoModel::none; }))
    return broken(VIR_ERR_XML_ERROR, "a 'none' video type must be the only video device defined for the domain");
  if (!videos.empty() && std::ranges::none_of(videos, &Video::primary)) videos.front().primary = true;
  // The primary card stands first.
  const auto primary = std::ranges::find_if(videos, &Video::primary);
  if (primary != videos.end()) std::rotate(videos.begin(), primary, primary + 1);
  for (Video& video : videos) {
    if (video.model == VideoModel::unset) video.model = VideoModel::cirrus;
    if (video.model == VideoModel::none) {
      video.primary = false;
      continue;
    }
    if (!video.vram_kib && video.model != VideoModel::virtio) video.vram_kib = 16384;
    if (!video.heads) video.heads = 1;
    if (!video.primary && (video.model == VideoModel::vga || video.model == VideoModel::cirrus))
      return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                  fmt::format("video type '{}' is only valid as primary video device", name_of(video.model)));
  }
  return {};
}

Result<void> complete_audio(DomainDef& def) {
  if (def.devices.audios.empty()) {
    // The last graphics server takes the sound, if it can.
    const auto& graphics = def.devices.graphics;
    const bool to_spice = !graphics.empty() && graphics.back().type == GraphicsType::spice;
    def.devices.audios.push_back({.id = 1, .type = to_spice ? AudioType::spice : AudioType::none});
  }
  for (std::size_t i = 0; i < def.devices.audios.size(); ++i)
    if (def.devices.audios[i].id == 0) def.devices.audios[i].id = static_cast<unsigned>(i) + 1;
  std::set<unsigned> audio_ids;
  for (const Audio& audio : def.devices.audios)
    if (!audio_ids.insert(audio.id).second)
      return broken(VIR_ERR_XML_ERROR, fmt::format("audio ID {} is used multiple times", audio.id));
  return {};
}

}  // namespace

Result<void> complete_display(DomainDef& def) {
  if (auto r = complete_inputs(def); !r) return r;
  if (auto r = complete_video(def); !r) return r;
  return complete_audio(def);
}

}  // namespace vireo::qemu
