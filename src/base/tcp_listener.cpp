// Reading addresses, and binding.
#include "base/tcp_listener.hpp"

#include <charconv>
#include <sstream>

namespace vireo {

Result<asio::ip::tcp::endpoint> parse_loopback(const std::string& text) {
  const auto no_address = [&] {
    return fail(VIR_ERR_INVALID_ARG,
                fmt::format("'{}' is no address such as \"127.0.0.1:9177\" or \"[::1]:9177\"", text));
  };
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return no_address();
  std::string host = text.substr(0, colon);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error || address.is_v6() != brackets) return no_address();
  unsigned short port = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, port);
  if (read.ec != std::errc() || read.ptr != end || port == 0) return no_address();
  if (!address.is_loopback())
    return fail(VIR_ERR_INVALID_ARG,
                fmt::format("'{}' can be reached from other hosts, and there is no authentication: listen at a "
                            "loopback address such as 127.0.0.1 and put a reverse proxy in front of it",
                            host));
  return asio::ip::tcp::endpoint(address, port);
}

Result<void> TcpListener::listen(const asio::ip::tcp::endpoint& at) {
  boost::system::error_code error;
  acceptor_.open(at.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(at, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  std::ostringstream address;
  address << at;
  return fail_errno(error.value(), fmt::format("cannot listen at '{}'", address.str()));
}

unsigned short TcpListener::port() const {
  boost::system::error_code error;
  return acceptor_.local_endpoint(error).port();
}

}  // namespace vireo
