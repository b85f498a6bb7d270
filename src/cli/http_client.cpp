// Connecting, asking, reading to the end of the connection.
#include "cli/http_client.hpp"

#include <charconv>

#include "cli/unix_socket.hpp"

namespace vireo::cli {
namespace {

// More than the door ever sends for the guests of one host; a safeguard against a stranger at the socket.
constexpr std::size_t longest_answer = 256 << 20;

std::unexpected<Error> no_http() {
  return fail(VIR_ERR_SYSTEM_ERROR, "what listens there does not speak HTTP as vireod does");
}

Result<std::string> receive_all(int fd) {
  std::string text;
  std::array<char, 16 << 10> buffer;
  while (text.size() < longest_answer) {
    auto got = receive_some(fd, buffer);
    if (!got) return pass_on(got);
    if (got->empty()) return text;
    text += *got;
  }
  return no_http();
}

}  // namespace

Result<Reply> ask(const std::string& socket_path, const std::string& method, const std::string& target,
                  const std::string& body, std::chrono::seconds timeout) {
  auto fd = connect_to(socket_path, timeout);
  if (!fd) return pass_on(fd);
  const auto request =
      fmt::format("{} {} HTTP/1.1\r\nHost: vireod\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}", method, target,
                  body.size(), body);
  if (auto sent = send_all(fd->get(), request); !sent) return pass_on(sent);
  auto answer = receive_all(fd->get());
  if (!answer) return pass_on(answer);
  const std::string_view text = *answer;
  constexpr std::string_view opening = "HTTP/1.1 ", end_of_head = "\r\n\r\n";
  const auto head = text.find(end_of_head);
  if (!text.starts_with(opening) || head == std::string_view::npos) return no_http();
  Reply reply;
  const auto* status = text.data() + opening.size();
  if (std::from_chars(status, status + 3, reply.status).ptr != status + 3) return no_http();
  reply.body = text.substr(head + end_of_head.size());
  return reply;
}

std::string escape_part(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace vireo::cli
