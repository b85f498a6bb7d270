// Frames over a socket. See client.hpp.
#include "client.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <xen/io/xs_wire.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace vireo::bench::xenstore {
namespace {

std::string with_reason(std::string_view what) { return fmt::format("{}: {}", what, std::strerror(errno)); }

}  // namespace

bool Frame::is_error() const { return type == XS_ERROR; }
bool Frame::is_error(std::string_view name) const {
  return is_error() && payload.starts_with(name) && payload.size() == name.size() + 1;
}
bool Frame::is_event() const { return type == XS_WATCH_EVENT; }

Client::Client(const std::string& socket) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (socket.size() >= sizeof address.sun_path) throw Broken("too long a path: " + socket);
  socket.copy(address.sun_path, socket.size());
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw Broken(with_reason("cannot connect to " + socket));
}

void Client::put(std::uint32_t type, std::uint32_t transaction, std::string_view first, std::string_view rest) {
  const xsd_sockmsg header{.type = type,
                           .req_id = ++request_,
                           .tx_id = transaction,
                           .len = static_cast<std::uint32_t>(first.size() + 1 + rest.size())};
  out_.append(reinterpret_cast<const char*>(&header), sizeof header);
  out_.append(first).push_back('\0');
  out_.append(rest);
}

void Client::send() {
  for (std::string_view left = out_; !left.empty();) {
    const auto sent = ::send(socket_.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (sent < 0) throw Broken(with_reason("cannot send"));
    left.remove_prefix(static_cast<std::size_t>(sent));
  }
  out_.clear();
}

Frame Client::next() {
  for (;;) {
    xsd_sockmsg header;
    const auto left = in_.size() - taken_;
    if (left >= sizeof header) {
      std::memcpy(&header, in_.data() + taken_, sizeof header);
      if (left >= sizeof header + header.len) {
        const std::string_view payload(in_.data() + taken_ + sizeof header, header.len);
        taken_ += sizeof header + header.len;
        return {header.type, header.req_id, header.tx_id, payload};
      }
    }
    in_.erase(0, taken_);
    taken_ = 0;
    constexpr std::size_t piece = 65'536;
    const auto had = in_.size();
    ssize_t got = 0;
    in_.resize_and_overwrite(had + piece, [&](char* data, std::size_t) {
      got = ::recv(socket_.get(), data + had, piece, 0);
      return had + static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    });
    if (got <= 0) throw Broken(got == 0 ? "the server hung up" : with_reason("cannot receive"));
  }
}

Frame Client::answer() {
  for (;;)
    if (const auto frame = next(); !frame.is_event()) return frame;
}

Frame Client::good_answer() {
  const auto frame = answer();
  if (frame.is_error()) throw Broken(fmt::format("answered {}", frame.payload.substr(0, frame.payload.size() - 1)));
  return frame;
}

Frame Client::ask(std::uint32_t type, std::uint32_t transaction, std::string_view first, std::string_view rest) {
  put(type, transaction, first, rest);
  send();
  return answer();
}

Frame Client::get(std::uint32_t type, std::uint32_t transaction, std::string_view first, std::string_view rest) {
  put(type, transaction, first, rest);
  send();
  return good_answer();
}

std::uint32_t Client::begin() {
  const auto id = get(XS_TRANSACTION_START, 0, "").payload;
  std::uint32_t number = 0;
  std::from_chars(id.data(), id.data() + id.size(), number);
  if (number == 0) throw Broken(fmt::format("began a transaction '{}'", id));
  return number;
}

bool Client::commit(std::uint32_t transaction) {
  const auto end = ask(XS_TRANSACTION_END, transaction, "T");
  if (end.is_error("EAGAIN")) return false;
  if (end.is_error()) throw Broken(fmt::format("a commit was answered {}", end.payload));
  return true;
}

}  // namespace vireo::bench::xenstore
