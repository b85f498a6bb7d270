// Which TCP ports a guest's VNC servers get.
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

}  // namespace

Result<void> claim_ports(Host& host, const std::string& name, model::DomainDef& live, Run& run) {
  const auto& settings = host.settings;
  for (auto& graphics : live.devices.graphics) {
    if (graphics.port < 0) {
      auto claim = host.tcp_ports.claim_any(settings.vnc_first_port, settings.vnc_last_port, name, port_is_free);
      if (!claim)
        return fail(VIR_ERR_INTERNAL_ERROR, "Unable to find an unused port in range 'VNC' (" +
                                                std::to_string(settings.vnc_first_port) + "-" +
                                                std::to_string(settings.vnc_last_port) + ")");
      graphics.port = claim->key();
      run.ports.push_back(std::move(*claim));
    } else {
      auto claim = host.tcp_ports.claim(graphics.port, name);
      if (!claim)
        return fail(VIR_ERR_CONFIG_UNSUPPORTED, "VNC port " + std::to_string(graphics.port) + " is used by guest '" +
                                                    claim.error() + "'; choose another port or autoport='yes'");
      run.ports.push_back(std::move(*claim));
    }
  }
  return {};
}

}  // namespace vireo::core
