// Which TCP ports a guest's VNC and SPICE servers get.
#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/fd.hpp"
#include "core/run/run.hpp"

namespace vireo::core {
namespace {

// Whether somebody outside Vireo listens on the port already. Binding a socket never blocks.
bool port_is_free(int port) {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return true;
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

struct Range {
  std::string_view name;  // in libvirt's errors
  int first, last;
};

Range range_of(const Settings& settings, model::GraphicsType type) {
  if (type == model::GraphicsType::spice) return {"spice", settings.spice_first_port, settings.spice_last_port};
  return {"VNC", settings.vnc_first_port, settings.vnc_last_port};
}

Result<void> claim_chosen(Host& host, const std::string& name, const model::Graphics& graphics, Run& run) {
  auto claim = host.tcp_ports.claim(graphics.port, name);
  if (!claim)
    return fail(
        VIR_ERR_CONFIG_UNSUPPORTED,
        fmt::format("{} port {} is used by guest '{}'; choose another port or autoport='yes'",
                    graphics.type == model::GraphicsType::spice ? "SPICE" : "VNC", graphics.port, claim.error()));
  run.ports.push_back(std::move(*claim));
  return {};
}

Result<void> claim_any(Host& host, const std::string& name, model::Graphics& graphics, Run& run) {
  const auto range = range_of(host.settings, graphics.type);
  auto claim = host.tcp_ports.claim_any(range.first, range.last, name, port_is_free);
  if (!claim)
    return fail(VIR_ERR_INTERNAL_ERROR, fmt::format("Unable to find an unused port in range '{}' ({}-{})", range.name,
                                                    range.first, range.last));
  graphics.port = claim->key();
  run.ports.push_back(std::move(*claim));
  return {};
}

}  // namespace

Result<void> claim_ports(Host& host, const std::string& name, model::DomainDef& live, Run& run) {
  std::vector<model::Graphics*> undecided;
  for (auto& graphics : live.devices.graphics) {
    if (!graphics.on_tcp()) continue;
    if (graphics.port < 0)
      undecided.push_back(&graphics);
    else if (auto claimed = claim_chosen(host, name, graphics, run); !claimed)
      return claimed;
  }
  // Whoever takes any port must not take the one that the guest's other display was given.
  for (auto* graphics : undecided)
    if (auto claimed = claim_any(host, name, *graphics, run); !claimed) return claimed;
  return {};
}

}  // namespace vireo::core
