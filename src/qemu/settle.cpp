// The settings, and reading the answers into the live definition.
#include "qemu/settle.hpp"

#include <algorithm>

#include "qemu/together.hpp"
#include "qmp/commands.hpp"

namespace vireo::qemu {

namespace {

using Terminals = std::map<std::string, std::string>;

// QEMU's character devices are named after the guest's device that they stand behind.
std::string backend_of(const std::string& alias) { return "char" + alias; }

void fill_terminal(model::CharSource& source, const std::string& alias, const Terminals& terminals) {
  if (source.backend != model::CharBackend::pty) return;
  if (const auto found = terminals.find(backend_of(alias)); found != terminals.end()) source.path = found->second;
}

void fill_terminals(model::Devices& devices, const Terminals& terminals) {
  for (auto& serial : devices.serials) fill_terminal(serial.source, serial.info.alias, terminals);
  for (auto& channel : devices.channels) fill_terminal(channel.source, channel.info.alias, terminals);
  for (auto& console : devices.consoles) {
    // A serial console is the first serial port under another name.
    if (console.target == model::ConsoleTarget::serial && !devices.serials.empty())
      console.source = devices.serials.front().source;
    else
      fill_terminal(console.source, console.info.alias, terminals);
  }
}

asio::awaitable<Result<void>> say(qmp::MonitorPtr monitor, Setting setting, Deadline deadline) {
  auto answer = co_await monitor->execute(std::move(setting.command), std::move(setting.arguments), deadline);
  if (!answer) co_return pass_on(answer);
  co_return Result<void>();
}

asio::awaitable<Result<void>> learn_terminals(LiveDef live, qmp::MonitorPtr monitor, Deadline deadline) {
  auto terminals = co_await qmp::query_terminals(std::move(monitor), deadline);
  if (!terminals) co_return pass_on(terminals);
  fill_terminals(live->devices, *terminals);
  co_return Result<void>();
}

model::Graphics* vnc_of(model::DomainDef& def) {
  const auto vnc = std::ranges::find(def.devices.graphics, model::GraphicsType::vnc, &model::Graphics::type);
  return vnc == def.devices.graphics.end() ? nullptr : &*vnc;
}

// SPICE's needs no asking: it has the port that it was given.
asio::awaitable<Result<void>> learn_vnc_port(LiveDef live, qmp::MonitorPtr monitor, Deadline deadline) {
  auto port = co_await qmp::query_vnc_port(std::move(monitor), deadline);
  if (!port) co_return pass_on(port);
  if (*port > 0) vnc_of(*live)->port = *port;
  co_return Result<void>();
}

asio::awaitable<Result<void>> learn_channels(LiveDef live, qmp::MonitorPtr monitor, Deadline deadline) {
  auto frontends = co_await qmp::query_open_frontends(std::move(monitor), deadline);
  if (!frontends) co_return pass_on(frontends);
  for (auto& channel : live->devices.channels)
    channel.state = frontends->contains(backend_of(channel.info.alias)) ? model::ChannelState::connected
                                                                        : model::ChannelState::disconnected;
  co_return Result<void>();
}

asio::awaitable<Result<void>> learn_memory(LiveDef live, qmp::MonitorPtr monitor, Deadline deadline) {
  auto bytes = co_await qmp::query_balloon(std::move(monitor), deadline);
  if (!bytes) co_return pass_on(bytes);
  live->current_memory_kib = *bytes / 1024;
  co_return Result<void>();
}

}  // namespace

bool has_balloon(const model::DomainDef& def) {
  return def.devices.memballoon && def.devices.memballoon->model != model::BalloonModel::none;
}

std::string balloon_path(const model::DomainDef& live) {
  return has_balloon(live) ? "/machine/peripheral/" + live.devices.memballoon->info.alias : std::string();
}

std::vector<Setting> settings_of(const model::DomainDef& live) {
  std::vector<Setting> settings;
  for (const auto& nic : live.devices.interfaces)
    if (nic.link == model::LinkState::down)
      settings.push_back({.command = "set_link", .arguments = {{"name", nic.info.alias}, {"up", false}}});
  if (!has_balloon(live)) return settings;
  const auto& balloon = *live.devices.memballoon;
  if (balloon.stats_period_s)
    settings.push_back({.command = "qom-set",
                        .arguments = {{"path", balloon_path(live)},
                                      {"property", "guest-stats-polling-interval"},
                                      {"value", *balloon.stats_period_s}}});
  if (live.current_memory_kib < live.memory_kib)
    settings.push_back({.command = "balloon", .arguments = {{"value", live.current_memory_kib * 1024}}});
  return settings;
}

asio::awaitable<Result<void>> settle(LiveDef live, GuestStatePtr guest, Deadline deadline) {
  std::vector<asio::awaitable<Result<void>>> parts;
  for (auto& setting : settings_of(*live)) parts.push_back(say(guest->monitor(), std::move(setting), deadline));
  parts.push_back(learn_terminals(live, guest->monitor(), deadline));
  if (vnc_of(*live) != nullptr) parts.push_back(learn_vnc_port(live, guest->monitor(), deadline));
  auto settled = co_await together(std::move(parts), deadline);
  // A guest begins with all of its memory: what the balloon takes is told when its driver has given it.
  live->current_memory_kib = live->memory_kib;
  co_return settled;
}

asio::awaitable<void> refresh(LiveDef live, GuestStatePtr guest, Deadline deadline) {
  std::vector<asio::awaitable<Result<void>>> parts;
  if (!live->devices.channels.empty()) parts.push_back(learn_channels(live, guest->monitor(), deadline));
  if (has_balloon(*live)) parts.push_back(learn_memory(live, guest->monitor(), deadline));
  // A guest that does not tell is one that the recorded answers have to do for.
  co_await together(std::move(parts), deadline);
}

}  // namespace vireo::qemu
