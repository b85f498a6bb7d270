// Character devices: serial ports, consoles and channels, and what stands behind them on the host. Plain values.
#pragma once

#include <optional>
#include <string>

#include "model/devices/address.hpp"
#include "model/names.hpp"

namespace vireo::model {

// spicevmc: a channel to SPICE's clients, for channels only.
enum class CharBackend { null, pty, file, unix_socket, spicevmc };
template <>
inline constexpr auto names_of<CharBackend> =
    std::to_array<std::string_view>({"null", "pty", "file", "unix", "spicevmc"});

enum class SocketMode { unset, bind, connect };
template <>
inline constexpr auto names_of<SocketMode> = std::to_array<std::string_view>({"", "bind", "connect"});

struct CharSource {
  CharBackend backend = CharBackend::pty;
  // The file, the socket, or (live only) the pseudo terminal that QEMU opened. A channel's socket without a path gets
  // one at start.
  std::string path;
  std::optional<bool> append;           // files only
  SocketMode mode = SocketMode::unset;  // sockets only
  bool operator==(const CharSource&) const = default;
};

struct Serial {
  CharSource source;
  std::string target_type;  // "isa-serial", "usb-serial", "pci-serial"
  std::optional<unsigned> port;
  std::string target_model;  // "isa-serial", …
  DeviceInfo info;

  bool operator==(const Serial&) const = default;
};

enum class ConsoleTarget { unset, serial, virtio };
template <>
inline constexpr auto names_of<ConsoleTarget> = std::to_array<std::string_view>({"", "serial", "virtio"});

// A console of type serial is the first serial port under another name; a virtio console is a device of its own.
struct Console {
  CharSource source;
  ConsoleTarget target = ConsoleTarget::unset;
  std::optional<unsigned> port;
  DeviceInfo info;

  bool operator==(const Console&) const = default;
};

enum class ChannelState { unset, connected, disconnected };
template <>
inline constexpr auto names_of<ChannelState> = std::to_array<std::string_view>({"", "connected", "disconnected"});

// A virtio-serial port with a name, such as the guest agent's.
struct Channel {
  CharSource source;
  std::string name;
  ChannelState state = ChannelState::unset;  // live only: whether the guest has opened its end
  DeviceInfo info;

  bool operator==(const Channel&) const = default;
};

}  // namespace vireo::model
