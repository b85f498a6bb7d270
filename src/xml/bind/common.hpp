// Bindings shared by several elements: where a device sits, its alias and boot order, and words written as text.
// A binding is one function template that serves both directions: `io` is a Reader or a Writer.
#pragma once

#include "model/devices/address.hpp"
#include "xml/reader.hpp"
#include "xml/writer.hpp"

namespace vireo::xml {

// libvirt's complaint of an element that lacks an attribute which it must have.
template <class IO>
void require_attr(IO& io, std::string_view name) {
  if constexpr (IO::reading)
    if (!io.node().attribute(std::string(name).c_str()))
      io.fail(VIR_ERR_XML_ERROR, fmt::format("Missing required attribute '{}' in element '{}'", name, io.element()));
}

// <name>word</name>, with libvirt's complaint for a word that is none.
template <class IO, class Enum>
void bind_word_child(IO& io, std::string_view name, Enum& value, int code, std::string_view complaint) {
  if constexpr (IO::reading) {
    std::string text;
    if (!io.child(name, true, [&](auto& sub) { sub.text(text); })) return;
    if (const auto known = model::value_of<Enum>(text))
      value = *known;
    else
      io.fail(code, fmt::format("{} {}", complaint, text), VIR_FROM_DOMAIN);
  } else {
    io.text_child(name, model::name_of(value));
  }
}

// <name state='on'/> and the like: an element that is one switch. Without a state it reads as on.
template <class IO, class Value>
void bind_switch(IO& io, std::string_view name, Value& value) {
  const bool there = io.child(name, value.has_value(), [&](auto& sub) { sub.on_off("state", value); });
  if constexpr (IO::reading)
    if (there && !value) value = true;
}

template <class IO, class A>
void bind_pci(IO& io, A& a) {
  io.hex("domain", a.domain, 4);
  io.hex("bus", a.bus, 2);
  io.hex("slot", a.slot, 2);
  io.hex("function", a.function, 1);
  io.on_off("multifunction", a.multifunction);
}

template <class IO, class A>
void bind_drive(IO& io, A& a) {
  io.number("controller", a.controller);
  io.number("bus", a.bus);
  io.number("target", a.target);
  io.number("unit", a.unit);
}

template <class IO, class A>
void bind_usb(IO& io, A& a) {
  io.number("bus", a.bus);
  io.attr("port", a.port);
}

template <class IO, class A>
void bind_virtio_serial(IO& io, A& a) {
  io.number("controller", a.controller);
  io.number("bus", a.bus);
  io.number("port", a.port);
}

void read_address(Reader& io, model::Address& address);
void write_address(Writer& io, const model::Address& address);

// A device's name and place.
template <class IO, class Info>
void bind_place(IO& io, Info& info) {
  // Names that the user chose stay; given ones belong to the run that gave them.
  const auto keep = [&] { return io.live() || info.alias.starts_with("ua-"); };
  io.child("alias", !info.alias.empty() && keep(), [&](auto& sub) { sub.attr("name", info.alias); });
  if constexpr (IO::reading) {
    if (!keep()) info.alias.clear();
    io.child("address", true, [&](auto& sub) { read_address(sub, info.address); });
  } else {
    io.child("address", info.has_address(), [&](auto& sub) { write_address(sub, info.address); });
  }
}

template <class IO, class Info>
void bind_info(IO& io, Info& info) {
  io.child("boot", info.boot_order.has_value(), [&](auto& sub) { sub.number("order", info.boot_order); });
  bind_place(io, info);
}

}  // namespace vireo::xml
