// From a definition to a running guest: complete it, name its devices, start QEMU with what that makes of its command
// line, and fill into the live definition what only the running QEMU knows: terminals and ports.
#include "qemu/aliases.hpp"
#include "qemu/argv.hpp"
#include "qemu/complete.hpp"
#include "qemu/hypervisor.hpp"
#include "qemu/launch.hpp"
#include "qmp/commands.hpp"

namespace vireo::qemu {

namespace {

constexpr auto kProbePatience = std::chrono::seconds(30);

using Terminals = std::map<std::string, std::string>;
using LiveDef = std::shared_ptr<model::DomainDef>;

void fill_terminal(model::CharSource& source, const std::string& alias, const Terminals& terminals) {
  if (source.backend != model::CharBackend::pty) return;
  // QEMU's character devices are named after the guest's device that they stand behind.
  if (const auto found = terminals.find("char" + alias); found != terminals.end()) source.path = found->second;
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

asio::awaitable<Result<void>> fill_live(LiveDef live, GuestStatePtr guest, Deadline deadline) {
  auto terminals = co_await qmp::query_terminals(guest->monitor(), deadline);
  if (!terminals) co_return pass_on(terminals);
  fill_terminals(live->devices, *terminals);
  for (auto& graphics : live->devices.graphics) {
    auto port = co_await qmp::query_vnc_port(guest->monitor(), deadline);
    if (!port) co_return pass_on(port);
    if (*port > 0) graphics.port = *port;
  }
  co_return Result<void>();
}

// What a program expects to find, and a home of its own.
std::vector<std::string> environment_in(const std::string& home) {
  return {"LC_ALL=C",
          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          "HOME=" + home,
          "XDG_DATA_HOME=" + home + "/.local/share",
          "XDG_CACHE_HOME=" + home + "/.cache",
          "XDG_CONFIG_HOME=" + home + "/.config"};
}

}  // namespace

asio::awaitable<Result<model::DomainDef>> QemuHypervisor::complete(model::DomainDef definition) {
  auto caps = co_await capabilities_for(definition.devices.emulator, definition.os.arch, Deadline::in(kProbePatience));
  if (!caps) co_return pass_on(caps);
  co_return qemu::complete(std::move(definition), **caps);
}

asio::awaitable<Result<ports::Launched>> QemuHypervisor::launch(ports::LaunchSpec spec, ports::GuestEventSink sink) {
  const auto& definition = *spec.definition;
  auto caps = co_await capabilities_for(definition.devices.emulator, definition.os.arch, spec.deadline);
  if (!caps) co_return pass_on(caps);

  auto live = std::make_shared<model::DomainDef>(assign_aliases(definition, spec.runtime_dir));
  live->id = spec.id;
  for (auto& graphics : live->devices.graphics)
    for (auto& listen : graphics.listens)
      if (listen.type == model::ListenType::address && listen.address.empty()) listen.address = "127.0.0.1";
  LaunchPaths paths;
  paths.pid_file = pid_file_beside(spec.monitor_path);
  paths.sandbox = options_.sandbox && (*caps)->sandbox;

  LaunchPlan plan;
  plan.monitor_path = spec.monitor_path;
  plan.pid_file = paths.pid_file;
  plan.log_path = spec.log_path;
  plan.about = about(**caps);
  plan.boot_id = host_.boot_id();
  plan.environment = environment_in(spec.runtime_dir);
  // The worker reads a copy: the live definition itself belongs to the core.
  plan.argv = [asked = *live, paths](int monitor_fd) {
    auto with_socket = paths;
    with_socket.monitor_fd = monitor_fd;
    return build_argv(asked, with_socket);
  };
  LaunchFinish finish = [live](GuestStatePtr guest, Deadline deadline) {
    return fill_live(live, std::move(guest), deadline);
  };
  auto state = co_await launch_process(spawn_, std::move(plan), std::move(finish), spec.deadline);
  if (!state) co_return pass_on(state);

  ports::Launched launched;
  launched.guest = std::make_unique<QemuGuest>(*state);
  launched.live = std::move(live);
  (*state)->deliver_to(std::move(sink));
  co_return launched;
}

}  // namespace vireo::qemu
