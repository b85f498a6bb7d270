// For this room's tests only: a client that speaks raw frames over a socket, blocking, with a deadline on every wait.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "doors/libvirt/frame.hpp"
#include "doors/libvirt/protocol/structs.hpp"
#include "doors/libvirt/session.hpp"

namespace vireo::doors::libvirt::testing {

inline constexpr int patience_ms = 10'000;  // longer than any test waits when all is well

struct Message {
  Header header;
  Bytes payload;

  Error error() const {
    auto e = xdr::decode<wire::remote_error>(payload);
    if (header.status != Status::error || !e) return {.code = 0, .detail = "not an error"};
    return {.code = e->code, .detail = e->str2.value_or(""), .domain = e->domain};
  }
  template <class T>
  T as() const {
    EXPECT_EQ(header.status, Status::ok) << error().detail;
    auto value = xdr::decode<T>(payload);
    EXPECT_TRUE(value);
    return value ? *value : T{};
  }
};

class Client {
 public:
  explicit Client(int fd) : fd_(fd) {}
  Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)), reader_(std::move(other.reader_)) {}
  ~Client() { leave(); }

  void leave() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  // False: the session has closed the connection.
  bool send_bytes(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return true;
  }
  bool send(const Header& header, std::span<const std::byte> payload = {}) {
    return send_bytes(make_frame(header, payload));
  }
  template <class Number, class Args = Nothing>
  std::uint32_t send_call(Number number, const Args& args = {}) {
    const auto serial = ++serial_;
    send(header_of(number, serial), xdr::encode(args).value());
    return serial;
  }
  template <class Number>
  static Header header_of(Number number, std::uint32_t serial, Type type = Type::call, Status status = Status::ok) {
    return {.program = program_of(number),
            .version = 1,
            .procedure = static_cast<std::int32_t>(number),
            .type = type,
            .serial = serial,
            .status = status};
  }

  // The next message; nothing when the connection ended (ended() is then true) or when `within_ms` passed.
  std::optional<Message> receive(int within_ms = patience_ms) {
    for (;;) {
      if (auto frame = reader_.next())
        return Message{frame->header, Bytes(frame->payload.begin(), frame->payload.end())};
      pollfd wait{.fd = fd_, .events = POLLIN, .revents = 0};
      if (::poll(&wait, 1, within_ms) != 1) return std::nullopt;
      auto space = reader_.space();
      const auto got = ::recv(fd_, space.data(), space.size(), 0);
      if (got <= 0) {
        ended_ = true;
        return std::nullopt;
      }
      reader_.received(static_cast<std::size_t>(got));
    }
  }
  template <class Number, class Args = Nothing>
  Message call(Number number, const Args& args = {}) {
    const auto serial = send_call(number, args);
    auto reply = receive();
    if (!reply) {
      ADD_FAILURE() << "no reply";
      return {};
    }
    EXPECT_EQ(reply->header.type, Type::reply);
    EXPECT_EQ(reply->header.serial, serial);
    EXPECT_EQ(reply->header.procedure, static_cast<std::int32_t>(number));
    return *reply;
  }
  void greet() {
    call(proc::Remote::auth_list);
    wire::remote_connect_open_args open;
    open.name = "test:///default";
    EXPECT_EQ(call(proc::Remote::connect_open, open).header.status, Status::ok);
  }

  // Waits for the session to close the connection; what comes before is thrown away.
  bool ends() {
    while (receive()) {
    }
    return ended_;
  }
  bool quiet(int for_ms) { return !receive(for_ms) && !ended_; }
  bool ended() const { return ended_; }
  int fd() const { return fd_; }

 private:
  int fd_;
  FrameReader reader_;
  std::uint32_t serial_ = 0;
  bool ended_ = false;
};

}  // namespace vireo::doors::libvirt::testing
