// Graphics servers, and the audio backends that go with them.
#include "qemu/argv.hpp"
#include "qemu/argv_words.hpp"

namespace vireo::qemu {
namespace {

using namespace model;

std::string address_of(const Graphics& graphics) {
  const std::string host = graphics.listens.empty() ? std::string() : graphics.listens.front().address;
  return host.empty() ? "127.0.0.1" : escape_commas(host);
}

std::string vnc_word(const Graphics& vnc, const std::vector<Audio>& audios) {
  std::string word = "none";
  if (vnc.on_tcp()) {
    std::string host = address_of(vnc);
    if (host.contains(':')) host = fmt::format("[{}]", host);
    // Without a port of its own, QEMU takes the first free one of a hundred.
    word = vnc.port < 0 ? fmt::format("{}:0,to=99", host) : fmt::format("{}:{}", host, vnc.port - 5900);
    if (vnc.share_policy != SharePolicy::unset) word += fmt::format(",share={}", name_of(vnc.share_policy));
  }
  if (!audios.empty()) word += fmt::format(",audiodev=audio{}", audios.front().id);
  return word;
}

std::string spice_word(const Graphics& graphics) {
  const SpiceOptions& spice = graphics.spice;
  std::string word = graphics.on_tcp() ? fmt::format("port={},addr={}", graphics.port, address_of(graphics)) : "port=0";
  const auto add = [&](std::string_view option, std::string_view value) {
    if (!value.empty()) word += fmt::format(",{}={}", option, value);
  };
  if (spice.mouse != SpiceMouse::unset) add("agent-mouse", spice.mouse == SpiceMouse::client ? "on" : "off");
  add("disable-ticketing", "on");
  if (spice.default_mode == SpiceMode::insecure) add("plaintext-channel", "default");
  add("image-compression", name_of(spice.image));
  add("jpeg-wan-compression", name_of(spice.jpeg));
  add("zlib-glz-wan-compression", name_of(spice.zlib));
  if (spice.playback_compression) add("playback-compression", *spice.playback_compression ? "on" : "off");
  add("streaming-video", name_of(spice.streaming));
  if (!spice.clipboard.value_or(true)) add("disable-copy-paste", "on");
  if (!spice.file_transfer.value_or(true)) add("disable-agent-file-xfer", "on");
  add("seamless-migration", "on");
  return word;
}

}  // namespace

void add_graphics(std::vector<std::string>& argv, const DomainDef& live) {
  for (const Audio& audio : live.devices.audios)
    add_json(argv, "-audiodev", {{"id", fmt::format("audio{}", audio.id)}, {"driver", name_of(audio.type)}});
  for (const Graphics& graphics : live.devices.graphics) {
    const bool is_spice = graphics.type == GraphicsType::spice;
    argv.emplace_back(is_spice ? "-spice" : "-vnc");
    argv.push_back(is_spice ? spice_word(graphics) : vnc_word(graphics, live.devices.audios));
    if (!graphics.keymap.empty()) {
      argv.emplace_back("-k");
      argv.push_back(graphics.keymap);
    }
  }
}

}  // namespace vireo::qemu
