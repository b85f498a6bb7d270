// The least that a server of this protocol can do: it answers every question that it has seen before with the bytes
// of the first answer, and computes nothing. What a client waits for it is the floor beneath any server's time:
// the client library, two socket writes and two wakeups. A question that is new is asked once of a real server.
//
//   bench_null_server LISTEN UPSTREAM      paths of unix sockets; ends with its standard input
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace vireo::bench {
namespace {

// Where the words of a frame stand: length, program, version, procedure, type, serial, status; then the payload.
constexpr std::size_t length_at = 0;
constexpr std::size_t program_at = 4;
constexpr std::size_t procedure_at = 12;
constexpr std::size_t type_at = 16;
constexpr std::size_t serial_at = 20;
constexpr std::size_t header_bytes = 28;
constexpr std::size_t frame_bytes_max = 4 + 33554432;
constexpr std::uint32_t remote_program = 0x20008086;
constexpr std::uint32_t proc_connect_close = 2;
constexpr std::uint32_t proc_connect_supports_feature = 60;
constexpr std::uint32_t feature_keepalive = 10;
constexpr std::uint32_t type_reply = 1;

std::uint32_t word(const std::string& frame, std::size_t at) {
  std::uint32_t big_endian = 0;
  std::memcpy(&big_endian, frame.data() + at, sizeof big_endian);
  return be32toh(big_endian);
}

void set_word(std::string& frame, std::size_t at, std::uint32_t value) {
  const std::uint32_t big_endian = htobe32(value);
  std::memcpy(frame.data() + at, &big_endian, sizeof big_endian);
}

bool read_exactly(int fd, char* to, std::size_t bytes) {
  while (bytes > 0) {
    const auto n = ::recv(fd, to, bytes, 0);
    if (n <= 0) return false;
    to += n;
    bytes -= static_cast<std::size_t>(n);
  }
  return true;
}

bool read_frame(int fd, std::string& frame) {
  frame.resize(4);
  if (!read_exactly(fd, frame.data(), 4)) return false;
  const std::size_t bytes = word(frame, length_at);
  if (bytes < header_bytes || bytes > frame_bytes_max) return false;
  frame.resize(bytes);
  return read_exactly(fd, frame.data() + 4, bytes - 4);
}

bool write_all(int fd, const std::string& frame) {
  std::size_t done = 0;
  while (done < frame.size()) {
    const auto n = ::send(fd, frame.data() + done, frame.size() - done, MSG_NOSIGNAL);
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

// The answers, and the one connection to the real server that they come from.
class Answers {
 public:
  explicit Answers(Fd upstream) : upstream_(std::move(upstream)) {}

  // The answer to `call`, with its serial; nullopt when the real server has gone.
  std::optional<std::string> to(const std::string& call) {
    const std::scoped_lock lock(mutex_);
    // What makes a question: program, version, procedure and payload, but not its serial.
    const std::string question = call.substr(program_at, type_at - program_at) + call.substr(header_bytes);
    auto found = known_.find(question);
    if (found == known_.end()) {
      auto answer = ask(call);
      if (!answer) return std::nullopt;
      found = known_.emplace(question, std::move(*answer)).first;
    }
    std::string reply = found->second;
    set_word(reply, serial_at, word(call, serial_at));
    return reply;
  }

 private:
  std::optional<std::string> ask(const std::string& call) {
    if (word(call, program_at) == remote_program) {
      const auto procedure = word(call, procedure_at);
      // Passed on, it would end the connection that all the answers come from.
      if (procedure == proc_connect_close) return made_reply(call, "");
      // The real server would ping from then on, and hang up when nobody answers. "0": not supported.
      if (procedure == proc_connect_supports_feature && call.size() == header_bytes + 4 &&
          word(call, header_bytes) == feature_keepalive)
        return made_reply(call, std::string(4, '\0'));
    }
    std::string reply;
    if (!write_all(upstream_.get(), call)) return std::nullopt;
    do {
      if (!read_frame(upstream_.get(), reply)) return std::nullopt;
    } while (word(reply, type_at) != type_reply);  // events are nobody's here
    return reply;
  }

  static std::string made_reply(const std::string& call, const std::string& payload) {
    std::string reply = call.substr(0, header_bytes) + payload;
    set_word(reply, length_at, static_cast<std::uint32_t>(reply.size()));
    set_word(reply, type_at, type_reply);
    return reply;
  }

  std::mutex mutex_;
  Fd upstream_;
  std::unordered_map<std::string, std::string> known_;
};

void serve(Fd client, std::shared_ptr<Answers> answers) {
  std::string call;
  while (read_frame(client.get(), call)) {
    const auto reply = answers->to(call);
    if (!reply || !write_all(client.get(), *reply)) return;
  }
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(VIR_ERR_INVALID_ARG, fmt::format("socket path '{}' is too long", path));
  path.copy(address.sun_path, path.size());
  return address;
}

Result<void> run(const std::string& listen_path, const std::string& upstream_path) {
  Fd upstream(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto to = address_of(upstream_path);
  if (!to) return pass_on(to);
  auto at = address_of(listen_path);
  if (!at) return pass_on(at);
  if (::connect(upstream.get(), reinterpret_cast<sockaddr*>(&*to), sizeof *to) != 0)
    return fail_errno(errno, fmt::format("cannot connect to '{}'", upstream_path));
  ::unlink(listen_path.c_str());
  if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&*at), sizeof *at) != 0 || ::listen(listener.get(), 16) != 0)
    return fail_errno(errno, fmt::format("cannot listen at '{}'", listen_path));

  auto answers = std::make_shared<Answers>(std::move(upstream));
  std::thread([answers, fd = listener.release()] {
    for (;;) {
      Fd client(::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      std::thread(serve, std::move(client), answers).detach();
    }
  }).detach();
  // Whoever started us holds the other end of this: no server is left behind.
  char ignored = 0;
  while (::read(STDIN_FILENO, &ignored, 1) > 0) {
  }
  ::unlink(listen_path.c_str());
  std::_Exit(0);
}

}  // namespace
}  // namespace vireo::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: bench_null_server LISTEN UPSTREAM\n");
    return 2;
  }
  const auto done = vireo::bench::run(argv[1], argv[2]);
  if (!done) fmt::print(stderr, "bench_null_server: {}\n", done.error().message());
  return done ? 0 : 1;
}
