// What a guest shows and what is typed at it: graphics servers, video cards, input devices and the audio backend that
// comes with them. Plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/devices/address.hpp"
#include "model/names.hpp"

namespace vireo::model {

enum class ListenType { address, none };
template <>
inline constexpr auto names_of<ListenType> = std::to_array<std::string_view>({"address", "none"});

struct Listen {
  ListenType type = ListenType::address;
  std::string address;  // empty: the daemon's default, 127.0.0.1

  bool operator==(const Listen&) const = default;
};

enum class SharePolicy { unset, allow_exclusive, force_shared, ignore };
template <>
inline constexpr auto names_of<SharePolicy> =
    std::to_array<std::string_view>({"", "allow-exclusive", "force-shared", "ignore"});

enum class GraphicsType { vnc, spice };
template <>
inline constexpr auto names_of<GraphicsType> = std::to_array<std::string_view>({"vnc", "spice"});

// Whether SPICE's channels may or must go in plain text; "secure" needs TLS, which Vireo does not set up.
enum class SpiceMode { any, insecure };
template <>
inline constexpr auto names_of<SpiceMode> = std::to_array<std::string_view>({"any", "insecure"});

enum class SpiceImage { unset, auto_glz, auto_lz, quic, glz, lz, off };
template <>
inline constexpr auto names_of<SpiceImage> =
    std::to_array<std::string_view>({"", "auto_glz", "auto_lz", "quic", "glz", "lz", "off"});

enum class SpiceWan { unset, automatic, never, always };
template <>
inline constexpr auto names_of<SpiceWan> = std::to_array<std::string_view>({"", "auto", "never", "always"});

enum class SpiceStreaming { unset, filter, all, off };
template <>
inline constexpr auto names_of<SpiceStreaming> = std::to_array<std::string_view>({"", "filter", "all", "off"});

enum class SpiceMouse { unset, client, server };
template <>
inline constexpr auto names_of<SpiceMouse> = std::to_array<std::string_view>({"", "client", "server"});

// How a SPICE server treats what goes through it. Unset: as QEMU does by itself.
struct SpiceOptions {
  SpiceMode default_mode = SpiceMode::any;
  SpiceImage image = SpiceImage::unset;
  SpiceWan jpeg = SpiceWan::unset, zlib = SpiceWan::unset;
  std::optional<bool> playback_compression;
  SpiceStreaming streaming = SpiceStreaming::unset;
  SpiceMouse mouse = SpiceMouse::unset;
  std::optional<bool> clipboard, file_transfer;
  bool gl_off = false;  // said to be off, which it is in any case

  bool operator==(const SpiceOptions&) const = default;
};

// A VNC or SPICE server.
struct Graphics {
  GraphicsType type = GraphicsType::vnc;
  // TCP port: VNC's from 5900 up; -1: chosen at start. A live definition holds the chosen port. 0: none (SPICE).
  int port = -1;
  bool autoport = false;
  std::string keymap;
  SharePolicy share_policy = SharePolicy::unset;  // VNC only
  SpiceOptions spice;                             // SPICE only
  std::vector<Listen> listens;

  // Whether it has a TCP port at all.
  bool on_tcp() const { return listens.empty() || listens.front().type != ListenType::none; }

  bool operator==(const Graphics&) const = default;
};

enum class VideoModel { unset, vga, cirrus, virtio, bochs, none };
template <>
inline constexpr auto names_of<VideoModel> =
    std::to_array<std::string_view>({"", "vga", "cirrus", "virtio", "bochs", "none"});

struct Video {
  VideoModel model = VideoModel::unset;
  std::optional<unsigned> vram_kib;
  std::optional<unsigned> heads;
  bool primary = false;
  DeviceInfo info;

  bool operator==(const Video&) const = default;
};

enum class InputType { mouse, tablet, keyboard };
template <>
inline constexpr auto names_of<InputType> = std::to_array<std::string_view>({"mouse", "tablet", "keyboard"});

enum class InputBus { unset, ps2, usb, virtio };
template <>
inline constexpr auto names_of<InputBus> = std::to_array<std::string_view>({"", "ps2", "usb", "virtio"});

struct Input {
  InputType type = InputType::mouse;
  InputBus bus = InputBus::unset;
  DeviceInfo info;

  bool operator==(const Input&) const = default;
};

enum class AudioType { none, spice };
template <>
inline constexpr auto names_of<AudioType> = std::to_array<std::string_view>({"none", "spice"});

// Where the guest's sound goes: nowhere, or to SPICE's clients.
struct Audio {
  unsigned id = 0;
  AudioType type = AudioType::none;

  bool operator==(const Audio&) const = default;
};

}  // namespace vireo::model
