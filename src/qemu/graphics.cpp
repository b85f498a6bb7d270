// The rules, in libvirt's words where it has them.
#include "qemu/graphics.hpp"

#include <algorithm>

namespace vireo::qemu {
namespace {

using namespace model;

std::unexpected<Error> unsupported(std::string detail) { return fail(VIR_ERR_CONFIG_UNSUPPORTED, std::move(detail)); }

Result<void> check_vnc_port(const Graphics& vnc) {
  if (vnc.on_tcp() && vnc.port >= 0 && (vnc.port < 5900 || vnc.port > 65535))
    return unsupported("vnc port must be in range [5900,65535]");
  return {};
}

Result<void> check_spice_mode(const Graphics& spice) {
  if (!spice.on_tcp() && spice.spice.default_mode == SpiceMode::insecure)
    return unsupported(
        "spice defaultMode insecure requested in XML configuration, but plaintext connection is not available");
  return {};
}

}  // namespace

Result<void> check_spice(const DomainDef& def, const Capabilities& caps) {
  const Devices& devices = def.devices;
  const bool has_spice = std::ranges::count(devices.graphics, GraphicsType::spice, &Graphics::type) > 0;
  if (has_spice && !caps.spice)
    return unsupported(
        fmt::format("Unsupported graphics type 'spice': emulator '{}' was built without it; use <graphics type='vnc'/> "
                    "in domain '{}'",
                    caps.binary, def.name));
  if (!has_spice && std::ranges::count(devices.audios, AudioType::spice, &Audio::type) > 0)
    return unsupported("Spice audio is not supported without spice graphics");
  for (const Channel& channel : devices.channels) {
    if (channel.source.backend != CharBackend::spicevmc) continue;
    if (!has_spice) return unsupported("chardev 'spicevmc' not supported without spice graphics");
    if (!channel.name.empty() && channel.name != kSpiceAgent)
      return unsupported(fmt::format("Unsupported spicevmc target name '{}'", channel.name));
  }
  return {};
}

Result<void> check_graphics(const DomainDef& def) {
  const auto& all = def.devices.graphics;
  for (const Graphics& graphics : all) {
    if (std::ranges::count(all, graphics.type, &Graphics::type) > 1)
      return unsupported("only 1 graphics device of each type (sdl, vnc, spice, headless, dbus) is supported");
    if (graphics.listens.size() > 1)
      return unsupported("QEMU does not support multiple listens for one graphics device.");
    auto checked = graphics.type == GraphicsType::vnc ? check_vnc_port(graphics) : check_spice_mode(graphics);
    if (!checked) return checked;
  }
  return {};
}

}  // namespace vireo::qemu
