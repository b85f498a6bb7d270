// Bindings of serial ports, consoles and channels.
#pragma once

#include "model/devices/chardev.hpp"
#include "xml/bind/common.hpp"

namespace vireo::xml {

// The type's attribute stands on the device's own element, the rest in <source>.
template <class IO, class Source>
void bind_char_backend(IO& io, Source& source) {
  io.word("type", source.backend, "unknown type presented to host for character device:");
  if constexpr (IO::reading)
    if (!io.node().attribute("type")) source.backend = model::CharBackend::pty;
}

template <class IO, class Source>
void bind_char_source(IO& io, Source& source) {
  using enum model::CharBackend;
  // A pseudo terminal's name is known only while the guest runs.
  const bool shown = source.backend == pty ? io.live() : source.backend != null && source.backend != spicevmc;
  if constexpr (IO::reading) {
    io.child("source", true, [&](auto& sub) {
      if (source.backend == unix_socket) sub.word("mode", source.mode);
      sub.attr("path", source.path);
      if (source.backend == file) sub.on_off("append", source.append);
    });
    if (!shown) source.path.clear();
    // A socket whose path is chosen at start is one that QEMU binds; saying so says nothing. Nor is there anything to
    // append to without a path.
    if (source.path.empty()) {
      source.mode = model::SocketMode::unset;
      source.append.reset();
    }
  } else {
    io.child("source", shown && !source.path.empty(), [&](auto& sub) {
      if (source.backend == unix_socket) sub.word("mode", source.mode);
      sub.attr("path", source.path);
      if (source.backend == file) sub.on_off("append", source.append);
    });
  }
}

template <class IO, class T>
void bind_serial(IO& io, T& serial) {
  bind_char_backend(io, serial.source);
  bind_char_source(io, serial.source);
  const bool has_target = serial.port.has_value() || !serial.target_type.empty() || !serial.target_model.empty();
  io.child("target", has_target, [&](auto& sub) {
    sub.attr("type", serial.target_type);
    sub.number("port", serial.port);
    sub.child("model", !serial.target_model.empty(), [&](auto& model) { model.attr("name", serial.target_model); });
  });
  bind_info(io, serial.info);
}

template <class IO, class T>
void bind_console(IO& io, T& console) {
  bind_char_backend(io, console.source);
  if constexpr (IO::reading)
    io.raw("tty");
  else if (io.live() && console.source.backend == model::CharBackend::pty)
    io.attr("tty", console.source.path);
  bind_char_source(io, console.source);
  io.child("target", console.target != model::ConsoleTarget::unset || console.port.has_value(), [&](auto& sub) {
    sub.word("type", console.target);
    sub.number("port", console.port);
  });
  bind_info(io, console.info);
}

template <class IO, class T>
void bind_channel(IO& io, T& channel) {
  bind_char_backend(io, channel.source);
  bind_char_source(io, channel.source);
  const bool there = io.child("target", true, [&](auto& sub) {
    sub.constant("type", "virtio");
    sub.attr("name", channel.name);
    if (io.live()) sub.word("state", channel.state);
    if constexpr (IO::reading) sub.raw("state");
  });
  if constexpr (IO::reading)
    if (!there) io.fail(VIR_ERR_XML_ERROR, "target type must be specified for channel device", VIR_FROM_DOMAIN);
  bind_info(io, channel.info);
}

}  // namespace vireo::xml
