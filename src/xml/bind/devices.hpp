// Bindings of the other devices, and of <devices> itself, in the order in which libvirt writes them.
#pragma once

#include "model/definition.hpp"
#include "xml/bind/chardev.hpp"
#include "xml/bind/common.hpp"
#include "xml/bind/display.hpp"

namespace vireo::xml {

template <class IO, class T>
void bind_disk_driver(IO& io, T& driver) {
  io.attr("name", driver.name);
  if constexpr (IO::reading) {
    if (const auto format = io.raw("type")) {
      const auto known = model::value_of<model::ImageFormat>(*format);
      if (known)
        driver.format = *known;
      else
        io.fail(VIR_ERR_CONFIG_UNSUPPORTED,
                fmt::format("unknown driver format value '{}'; Vireo knows raw and qcow2", *format), VIR_FROM_DOMAIN);
    }
  } else {
    io.word("type", driver.format);
  }
  io.word("cache", driver.cache);
  io.word("error_policy", driver.error_policy);
  io.word("rerror_policy", driver.read_error_policy);
  io.word("io", driver.io);
  io.word("discard", driver.discard);
  io.word("detect_zeroes", driver.detect_zeroes);
}

// <seclabel> of one file.
template <class IO, class T>
void bind_source_label(IO& io, T& label) {
  io.attr("model", label.model);
  io.yes_no("relabel", label.relabel);
  if constexpr (IO::reading) io.raw("labelskip");  // how a label went that could not be set: nothing to keep
  io.text_child("label", label.label);
  if constexpr (IO::reading) {
    if (!label.relabel) label.relabel = true;
    if (!*label.relabel && !label.label.empty())
      io.fail(VIR_ERR_XML_ERROR,
              fmt::format("Cannot specify a label if relabelling is turned off. model={}",
                          label.model.empty() ? "<null>" : label.model),
              VIR_FROM_DOMAIN);
  }
}

template <class IO, class T>
void bind_disk(IO& io, T& disk) {
  io.constant("type", "file", false);
  io.word("device", disk.kind);
  io.child("driver", disk.driver != model::DiskDriver{}, [&](auto& sub) { bind_disk_driver(sub, disk.driver); });
  io.child("source", !disk.file.empty(), [&](auto& sub) {
    sub.attr("file", disk.file);
    // The image's number means something to a running QEMU only.
    if constexpr (IO::reading) {
      sub.number("index", disk.index);
      if (!io.live()) disk.index = 0;
    } else if (io.live() && disk.index != 0) {
      sub.number("index", disk.index);
    }
    sub.list("seclabel", disk.seclabels, [](auto& label, auto& value) { bind_source_label(label, value); });
  });
  io.flag("backingStore", disk.no_backing);
  io.child("target", true, [&](auto& sub) {
    sub.attr("dev", disk.target);
    sub.word("bus", disk.bus);
    sub.word("tray", disk.tray);
  });
  io.flag("readonly", disk.readonly);
  io.flag("shareable", disk.shareable);
  io.text_child("serial", disk.serial);
  bind_info(io, disk.info);
}

template <class IO, class T>
void bind_controller(IO& io, T& controller) {
  io.word("type", controller.type);
  io.number("index", controller.index);
  io.attr("model", controller.model);
  if (controller.type == model::ControllerType::usb || controller.type == model::ControllerType::virtio_serial)
    io.number("ports", controller.ports);
  if (controller.type == model::ControllerType::virtio_serial) io.number("vectors", controller.vectors);
  if (controller.type == model::ControllerType::pci) {
    io.child("model", !controller.model_name.empty(), [&](auto& sub) { sub.attr("name", controller.model_name); });
    io.child("target", controller.chassis || controller.chassis_nr || controller.port, [&](auto& sub) {
      sub.number("chassisNr", controller.chassis_nr);
      sub.number("chassis", controller.chassis);
      if constexpr (IO::reading)
        sub.number("port", controller.port);
      else if (controller.port)
        sub.hex("port", *controller.port, 1);
    });
  }
  bind_info(io, controller.info);
}

template <class IO, class T>
void bind_interface(IO& io, T& nic) {
  if constexpr (IO::reading)
    if (!io.raw("type")) io.fail(VIR_ERR_XML_ERROR, "Missing required attribute 'type' in element 'interface'");
  io.word("type", nic.type);
  if constexpr (IO::reading) {
    io.child("mac", true, [&](auto& sub) {
      const auto text = sub.raw("address");
      if (!text) return;
      nic.mac = model::MacAddress::parse(*text);
      if (!nic.mac)
        sub.fail(VIR_ERR_XML_ERROR, fmt::format("unable to parse mac address '{}'", *text), VIR_FROM_DOMAIN);
      else if (nic.mac->is_multicast())
        sub.fail(VIR_ERR_XML_ERROR, fmt::format("expected unicast mac address, found multicast '{}'", *text),
                 VIR_FROM_DOMAIN);
    });
  } else {
    io.child("mac", nic.mac.has_value(), [&](auto& sub) { sub.attr("address", nic.mac->text()); });
  }
  if (nic.type == model::InterfaceType::bridge) {
    if constexpr (IO::reading) {
      io.child("source", true, [&](auto& sub) { sub.attr("bridge", nic.bridge); });
      if (nic.bridge.empty())
        io.fail(VIR_ERR_XML_ERROR, "Missing required attribute 'bridge' in element 'source'", VIR_FROM_DOMAIN);
    } else {
      io.child("source", true, [&](auto& sub) { sub.attr("bridge", nic.bridge); });
    }
  }
  io.child("target", !nic.target.empty() || nic.managed, [&](auto& sub) {
    sub.attr("dev", nic.target);
    if (nic.type == model::InterfaceType::ethernet) sub.yes_no("managed", nic.managed);
    // Names that are given at the start are given anew at the next one.
    if constexpr (IO::reading)
      if (!io.live() && nic.managed.value_or(true) && nic.target.starts_with("vnet")) nic.target.clear();
  });
  io.child("model", !nic.model.empty(), [&](auto& sub) { sub.attr("type", nic.model); });
  io.child("link", nic.link != model::LinkState::unset, [&](auto& sub) { sub.word("state", nic.link); });
  bind_info(io, nic.info);
}

template <class IO, class T>
void bind_input(IO& io, T& input) {
  io.word("type", input.type, "unknown input device type");
  io.word("bus", input.bus);
  bind_info(io, input.info);
}

template <class IO, class T>
void bind_memballoon(IO& io, T& balloon) {
  require_attr(io, "model");
  io.word("model", balloon.model);
  io.on_off("autodeflate", balloon.autodeflate);
  io.on_off("freePageReporting", balloon.free_page_reporting);
  io.child("stats", balloon.stats_period_s.has_value(),
           [&](auto& sub) { sub.number("period", balloon.stats_period_s); });
  if constexpr (IO::reading)
    if (balloon.stats_period_s == 0U) balloon.stats_period_s.reset();  // no statistics, which is not worth saying
  bind_info(io, balloon.info);
}

template <class IO, class T>
void bind_rng(IO& io, T& rng) {
  io.constant("model", "virtio");
  io.child("rate", rng.rate_bytes.has_value(), [&](auto& sub) {
    sub.number("bytes", rng.rate_bytes);
    sub.number("period", rng.rate_period_ms);
    // As in libvirt, a period of no number of bytes is no limit.
    if constexpr (IO::reading)
      if (!rng.rate_bytes) rng.rate_period_ms.reset();
  });
  const bool there = io.child("backend", true, [&](auto& sub) {
    sub.constant("model", "random");
    sub.text(rng.file);
  });
  if constexpr (IO::reading)
    if (!there) io.fail(VIR_ERR_XML_ERROR, "missing backend model of the random number generator", VIR_FROM_DOMAIN);
  bind_info(io, rng.info);
}

template <class IO, class T>
void bind_panic(IO& io, T& panic) {
  io.word("model", panic.model, "unknown panic model");
  bind_place(io, panic.info);
}

template <class IO, class T>
void bind_devices(IO& io, T& devices) {
  io.text_child("emulator", devices.emulator);
  io.list("disk", devices.disks, [](auto& sub, auto& value) { bind_disk(sub, value); });
  io.list("controller", devices.controllers, [](auto& sub, auto& value) { bind_controller(sub, value); });
  io.list("interface", devices.interfaces, [](auto& sub, auto& value) { bind_interface(sub, value); });
  io.list("serial", devices.serials, [](auto& sub, auto& value) { bind_serial(sub, value); });
  io.list("console", devices.consoles, [](auto& sub, auto& value) { bind_console(sub, value); });
  io.list("channel", devices.channels, [](auto& sub, auto& value) { bind_channel(sub, value); });
  io.list("input", devices.inputs, [](auto& sub, auto& value) { bind_input(sub, value); });
  io.list("graphics", devices.graphics, [](auto& sub, auto& value) { bind_graphics(sub, value); });
  io.list("audio", devices.audios, [](auto& sub, auto& value) { bind_audio(sub, value); });
  io.list("video", devices.videos, [](auto& sub, auto& value) { bind_video(sub, value); });
  if constexpr (IO::reading) {
    std::vector<model::MemBalloon> balloons;
    io.list("memballoon", balloons, [](auto& sub, auto& value) { bind_memballoon(sub, value); });
    if (balloons.size() > 1)
      io.fail(VIR_ERR_INTERNAL_ERROR, "only a single memory balloon device is supported", VIR_FROM_DOMAIN);
    if (!balloons.empty()) devices.memballoon = balloons.front();
  } else {
    io.child("memballoon", devices.memballoon.has_value(),
             [&](auto& sub) { bind_memballoon(sub, *devices.memballoon); });
  }
  io.list("rng", devices.rngs, [](auto& sub, auto& value) { bind_rng(sub, value); });
  io.list("panic", devices.panics, [](auto& sub, auto& value) { bind_panic(sub, value); });
}

}  // namespace vireo::xml
