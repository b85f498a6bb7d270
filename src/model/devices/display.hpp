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

// A VNC server.
struct Graphics {
  // TCP port, 5900 and up; -1: chosen at start. A live definition holds the chosen port.
  int port = -1;
  bool autoport = false;
  std::string keymap;
  SharePolicy share_policy = SharePolicy::unset;
  std::vector<Listen> listens;

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

// An audio backend of type "none", which is all that Vireo honours.
struct Audio {
  unsigned id = 0;

  bool operator==(const Audio&) const = default;
};

}  // namespace vireo::model
