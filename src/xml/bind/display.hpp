// Bindings of what a guest shows: graphics servers, the audio that goes with them, and video cards.
#pragma once

#include "model/devices/display.hpp"
#include "xml/bind/common.hpp"

namespace vireo::xml {

// An element that is one choice: <name attribute='word'/>.
template <class IO, class Value>
void bind_choice(IO& io, std::string_view name, std::string_view attribute, Value& value) {
  io.child(name, value != Value{}, [&](auto& sub) {
    require_attr(sub, attribute);
    if constexpr (!std::is_same_v<std::remove_const_t<Value>, std::optional<bool>>)
      sub.word(attribute, value);
    else if (name == "playback")
      sub.on_off(attribute, value);
    else
      sub.yes_no(attribute, value);
  });
}

template <class IO, class T>
void bind_spice_mode(IO& io, T& spice) {
  if (IO::reading || spice.default_mode != model::SpiceMode::any) io.word("defaultMode", spice.default_mode);
}

template <class IO, class T>
void bind_spice_options(IO& io, T& spice) {
  bind_choice(io, "image", "compression", spice.image);
  bind_choice(io, "jpeg", "compression", spice.jpeg);
  bind_choice(io, "zlib", "compression", spice.zlib);
  bind_choice(io, "playback", "compression", spice.playback_compression);
  bind_choice(io, "streaming", "mode", spice.streaming);
  bind_choice(io, "mouse", "mode", spice.mouse);
  bind_choice(io, "clipboard", "copypaste", spice.clipboard);
  bind_choice(io, "filetransfer", "enable", spice.file_transfer);
  const bool there = io.child("gl", spice.gl_off, [&](auto& sub) {
    require_attr(sub, "enable");
    sub.constant("enable", "no");
  });
  if constexpr (IO::reading) spice.gl_off = there;
}

template <class IO, class T>
void bind_listen(IO& io, T& listen) {
  io.word("type", listen.type);
  io.attr("address", listen.address);
}

// What the document says of ports.
struct SaidPorts {
  std::optional<int> port, tls_port;
  std::optional<bool> autoport;
};

inline void take_vnc_ports(const Reader& io, const SaidPorts& said, model::Graphics& vnc) {
  vnc.autoport = said.autoport.value_or(false) || !said.port || *said.port == -1;
  vnc.port = vnc.autoport && !io.live() ? -1 : said.port.value_or(-1);
}

// SPICE without any port is one that listens nowhere, and the other way round.
inline void take_spice_ports(Reader& io, const SaidPorts& said, model::Graphics& spice) {
  const int port = said.port.value_or(0), tls_port = said.tls_port.value_or(0);
  spice.autoport = said.autoport.value_or(false) || (port == -1 && tls_port == -1);
  if (!spice.autoport && tls_port != 0) io.refuse("attribute 'tlsPort' of element <graphics>");
  if (port < -1 || port > 65535)
    io.fail(VIR_ERR_CONFIG_UNSUPPORTED, fmt::format("spice port must be in range [1,65535], not {}", port),
            VIR_FROM_DOMAIN);
  spice.port = spice.autoport && (!io.live() || port == 0) ? -1 : port;
  if (spice.port == 0 || !spice.on_tcp()) {
    spice.listens = {{.type = model::ListenType::none, .address = {}}};
    spice.autoport = false;
    spice.port = 0;
  }
}

inline void take_ports(Reader& io, const SaidPorts& said, const std::string& listen, model::Graphics& graphics) {
  if (graphics.listens.empty()) {
    graphics.listens.push_back({.type = model::ListenType::address, .address = listen});
  } else if (graphics.on_tcp() && !listen.empty() && graphics.listens.front().address != listen) {
    io.fail(VIR_ERR_XML_ERROR,
            fmt::format("graphics 'listen' attribute '{}' must match 'address' attribute of first listen element "
                        "(found '{}')",
                        listen, graphics.listens.front().address),
            VIR_FROM_DOMAIN);
  }
  if (graphics.type == model::GraphicsType::spice)
    take_spice_ports(io, said, graphics);
  else
    take_vnc_ports(io, said, graphics);
}

// What is written of ports: libvirt leaves out SPICE's until they are chosen.
inline SaidPorts ports_to_say(const model::Graphics& graphics, bool live) {
  SaidPorts said;
  if (!graphics.on_tcp()) return said;
  said.autoport = graphics.autoport;
  if (live || !graphics.autoport)
    said.port = graphics.port;
  else if (graphics.type == model::GraphicsType::vnc)
    said.port = -1;
  return said;
}

template <class IO, class T>
void bind_graphics(IO& io, T& graphics) {
  require_attr(io, "type");
  io.word("type", graphics.type);
  const bool is_spice = graphics.type == model::GraphicsType::spice;
  SaidPorts said;
  if constexpr (!IO::reading) said = ports_to_say(graphics, io.live());
  io.number("port", said.port);
  if (is_spice) io.number("tlsPort", said.tls_port);
  io.yes_no("autoport", said.autoport);
  std::string listen = graphics.listens.empty() ? std::string() : graphics.listens.front().address;
  io.attr("listen", listen);
  io.attr("keymap", graphics.keymap);
  if (is_spice)
    bind_spice_mode(io, graphics.spice);
  else
    io.word("sharePolicy", graphics.share_policy);
  io.list("listen", graphics.listens, [](auto& sub, auto& value) { bind_listen(sub, value); });
  if constexpr (IO::reading) take_ports(io, said, listen, graphics);
  if (is_spice) bind_spice_options(io, graphics.spice);
}

template <class IO, class T>
void bind_audio(IO& io, T& audio) {
  io.number("id", audio.id);
  require_attr(io, "type");
  io.word("type", audio.type);
}

template <class IO, class T>
void bind_video(IO& io, T& video) {
  io.child("model", true, [&](auto& sub) {
    sub.word("type", video.model, "unknown video model");
    sub.number("vram", video.vram_kib);
    sub.number("heads", video.heads);
    std::optional<bool> primary = video.primary ? std::optional(true) : std::nullopt;
    sub.yes_no("primary", primary);
    if constexpr (IO::reading) video.primary = primary.value_or(false);
  });
  bind_info(io, video.info);
}

}  // namespace vireo::xml
