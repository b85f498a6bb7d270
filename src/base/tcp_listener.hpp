// A listener at an address of this host that no other host can reach. For doors that know no authentication.
#pragma once

#include "base/listener.hpp"

namespace vireo {

// "127.0.0.1:9177" and "[::1]:9177". Error: VIR_ERR_INVALID_ARG for what is no such text, and for an address that other
// hosts could reach. Pure.
Result<asio::ip::tcp::endpoint> parse_loopback(const std::string& text);

class TcpListener final : public Listener<asio::ip::tcp> {
 public:
  explicit TcpListener(const asio::any_io_executor& executor) : Listener(executor) {}

  // Error: VIR_ERR_SYSTEM_ERROR naming the address.
  Result<void> listen(const asio::ip::tcp::endpoint& at);
  // The port that it listens at, also where 0 was asked for.
  unsigned short port() const;
};

}  // namespace vireo
