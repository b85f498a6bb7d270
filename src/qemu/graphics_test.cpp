// Displays that a QEMU cannot have, and what needs one.
#include "qemu/graphics.hpp"

#include <gtest/gtest.h>

namespace vireo::qemu {
namespace {

using namespace model;

std::string said(const Result<void>& checked) { return checked ? "" : checked.error().detail; }

DomainDef guest(std::vector<Graphics> graphics) {
  DomainDef def;
  def.name = "g";
  def.devices.graphics = std::move(graphics);
  return def;
}

TEST(Spice, IsRefusedByNameWhereQemuHasNone) {
  Capabilities caps{.binary = "/q"};
  const auto seer = guest({{.type = GraphicsType::spice}});
  EXPECT_EQ(said(check_spice(seer, caps)),
            "Unsupported graphics type 'spice': emulator '/q' was built without it; use <graphics type='vnc'/> in "
            "domain 'g'");
  EXPECT_EQ(said(check_spice(guest({{}}), caps)), "");
  caps.spice = true;
  EXPECT_EQ(said(check_spice(seer, caps)), "");
}

TEST(Spice, IsThereForWhatSpeaksThroughIt) {
  const Capabilities caps{.spice = true};
  auto def = guest({{}});
  def.devices.audios = {{.id = 1, .type = AudioType::spice}};
  EXPECT_EQ(said(check_spice(def, caps)), "Spice audio is not supported without spice graphics");
  def.devices.audios.clear();
  def.devices.channels = {{.source = {.backend = CharBackend::spicevmc}}};
  EXPECT_EQ(said(check_spice(def, caps)), "chardev 'spicevmc' not supported without spice graphics");
  def.devices.graphics.push_back({.type = GraphicsType::spice});
  EXPECT_EQ(said(check_spice(def, caps)), "");
  def.devices.channels.front().name = kSpiceAgent;
  EXPECT_EQ(said(check_spice(def, caps)), "");
  def.devices.channels.front().name = "org.x";
  EXPECT_EQ(said(check_spice(def, caps)), "Unsupported spicevmc target name 'org.x'");
}

TEST(Graphics, CanBeOneOfEachTypeWithOneAddress) {
  const Listen here{}, nowhere{.type = ListenType::none, .address = {}};
  EXPECT_EQ(said(check_graphics(guest({{}, {.type = GraphicsType::spice}}))), "");
  EXPECT_EQ(said(check_graphics(guest({{}, {.type = GraphicsType::spice}, {}}))),
            "only 1 graphics device of each type (sdl, vnc, spice, headless, dbus) is supported");
  EXPECT_EQ(said(check_graphics(guest({{.listens = {here, here}}}))),
            "QEMU does not support multiple listens for one graphics device.");
  EXPECT_EQ(said(check_graphics(guest({{.port = 80}}))), "vnc port must be in range [5900,65535]");
  EXPECT_EQ(said(check_graphics(guest({{.type = GraphicsType::spice, .port = 80}}))), "");
  EXPECT_EQ(said(check_graphics(guest({{.type = GraphicsType::spice,
                                        .port = 0,
                                        .spice = {.default_mode = SpiceMode::insecure},
                                        .listens = {nowhere}}}))),
            "spice defaultMode insecure requested in XML configuration, but plaintext connection is not available");
}

}  // namespace
}  // namespace vireo::qemu
