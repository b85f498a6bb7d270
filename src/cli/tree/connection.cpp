// Frames, and answers found by the number of their request.
#include "cli/tree/connection.hpp"

#include <poll.h>

#include <cerrno>
#include <cstring>
#include <span>

#include "cli/unix_socket.hpp"

namespace vireo::cli::tree {
namespace {

constexpr std::chrono::seconds patience{60};
// Questions of a parcel. With the longest paths they still fit in a socket's buffer, so that neither side waits for the
// other to read.
constexpr std::size_t parcel = 32;

std::unexpected<Error> no_tree() {
  return fail(VIR_ERR_SYSTEM_ERROR, "what listens there does not speak xenstore's protocol as vireod does");
}

void append(std::string& bytes, const xsd_sockmsg& header, std::string_view payload) {
  bytes.append(reinterpret_cast<const char*>(&header), sizeof header);
  bytes += payload;
}

std::string_view until_zero(std::string_view text) { return text.substr(0, text.find('\0')); }

}  // namespace

struct Connection::Frame {
  xsd_sockmsg header;
  std::string payload;
};

Result<Connection> Connection::open(const std::string& socket_path) {
  auto fd = connect_to(socket_path, patience);
  if (!fd) return pass_on(fd);
  return Connection(std::move(*fd));
}

Result<Answer> Connection::ask(Kind kind, std::string payload, std::uint32_t transaction) {
  auto answers = ask_all({{.kind = kind, .payload = std::move(payload)}}, transaction);
  if (!answers) return pass_on(answers);
  return std::move(answers->front());
}

Result<std::vector<Answer>> Connection::ask_all(const std::vector<Question>& questions, std::uint32_t transaction) {
  std::vector<Answer> answers;
  for (std::size_t at = 0; at < questions.size(); at += parcel) {
    const auto few = std::span(questions).subspan(at, std::min(parcel, questions.size() - at));
    std::string bytes;
    const auto first = last_request_ + 1;
    for (const auto& question : few)
      append(bytes,
             {.type = static_cast<std::uint32_t>(question.kind),
              .req_id = ++last_request_,
              .tx_id = transaction,
              .len = static_cast<std::uint32_t>(question.payload.size())},
             question.payload);
    if (auto sent = send_all(fd_.get(), bytes); !sent) return pass_on(sent);
    for (std::uint32_t i = 0; i < few.size(); ++i) {
      auto answer = receive_answer(first + i, static_cast<std::uint32_t>(few[i].kind));
      if (!answer) return pass_on(answer);
      answers.push_back(std::move(*answer));
    }
  }
  return answers;
}

// Replies come in the order of the requests from all servers that there are; another order is a stranger's.
Result<Answer> Connection::receive_answer(std::uint32_t request, std::uint32_t kind) {
  for (;;) {
    auto frame = receive();
    if (!frame) return pass_on(frame);
    if (frame->header.type == XS_WATCH_EVENT) continue;
    if (frame->header.req_id != request) return no_tree();
    if (frame->header.type == XS_ERROR) return Answer{.refused = true, .text = std::string(until_zero(frame->payload))};
    if (frame->header.type != kind) return no_tree();
    return Answer{.text = std::move(frame->payload)};
  }
}

Result<Event> Connection::next_event() {
  while (events_.empty()) {
    if (taken_ == received_.size()) {
      pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, -1) < 0 && errno != EINTR) return fail_errno(errno, "cannot wait for events");
      if (ready.revents == 0) continue;
    }
    auto frame = receive();
    if (!frame) return pass_on(frame);
    if (frame->header.type != XS_WATCH_EVENT) return no_tree();
  }
  auto event = std::move(events_.front());
  events_.pop_front();
  return event;
}

// One frame; that of an event is kept among the events, too.
Result<Connection::Frame> Connection::receive() {
  Frame frame{};
  auto header = take(sizeof frame.header);
  if (!header) return pass_on(header);
  std::memcpy(&frame.header, header->data(), sizeof frame.header);
  if (frame.header.len > XENSTORE_PAYLOAD_MAX) return no_tree();
  auto payload = take(frame.header.len);
  if (!payload) return pass_on(payload);
  frame.payload = std::move(*payload);
  if (frame.header.type == XS_WATCH_EVENT) {
    const auto path = until_zero(frame.payload);
    if (path.size() + 1 > frame.payload.size()) return no_tree();
    events_.push_back({.path = std::string(path),
                       .token = std::string(until_zero(std::string_view(frame.payload).substr(path.size() + 1)))});
  }
  return frame;
}

Result<std::string> Connection::take(std::size_t bytes) {
  while (received_.size() - taken_ < bytes) {
    std::array<char, 64 << 10> room;
    auto got = receive_some(fd_.get(), room);
    if (!got) return pass_on(got);
    if (got->empty()) return fail(VIR_ERR_SYSTEM_ERROR, "vireod has closed the connection; its log may say why");
    received_.erase(0, std::exchange(taken_, 0));
    received_ += *got;
  }
  return received_.substr(std::exchange(taken_, taken_ + bytes), bytes);
}

}  // namespace vireo::cli::tree
