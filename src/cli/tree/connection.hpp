// A small client of the tree's protocol (xs_wire.h: a header of four words, then at most 4096 bytes), blocking, one
// thread. Answers come back as they are; what to make of a refusal is the caller's to say.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include <xen/io/xs_wire.h>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace vireo::cli::tree {

enum class Kind : std::uint32_t {
  directory = XS_DIRECTORY,
  read = XS_READ,
  get_permissions = XS_GET_PERMS,
  watch = XS_WATCH,
  begin = XS_TRANSACTION_START,
  end = XS_TRANSACTION_END,
  write = XS_WRITE,
  remove = XS_RM,
  directory_part = XS_DIRECTORY_PART,
};

struct Question {
  Kind kind;
  std::string payload;
};

struct Answer {
  bool refused = false;
  std::string text;  // where refused: the name of an errno value, such as "ENOENT"

  bool refused_as(std::string_view name) const { return refused && text == name; }
};

// Of a watch: which path, and the token that the watch was given.
struct Event {
  std::string path, token;
};

class Connection {
 public:
  // Error: VIR_ERR_NO_CONNECT as of connect_to().
  static Result<Connection> open(const std::string& socket_path);

  // Errors of all: VIR_ERR_SYSTEM_ERROR when the connection breaks, nothing comes in time, or what comes is not of this
  // protocol. Events that arrive meanwhile are kept.
  Result<Answer> ask(Kind kind, std::string payload, std::uint32_t transaction = 0);
  // Many at once, in order: they are sent and answered in parcels, so that their number costs few round trips.
  Result<std::vector<Answer>> ask_all(const std::vector<Question>& questions, std::uint32_t transaction = 0);
  // Waits for as long as it takes.
  Result<Event> next_event();

 private:
  explicit Connection(Fd fd) : fd_(std::move(fd)) {}
  struct Frame;
  Result<Frame> receive();
  Result<std::string> take(std::size_t bytes);
  Result<Answer> receive_answer(std::uint32_t request, std::uint32_t kind);

  Fd fd_;
  std::string received_;  // and not yet looked at, from taken_ on
  std::size_t taken_ = 0;
  std::uint32_t last_request_ = 0;
  std::deque<Event> events_;
};

}  // namespace vireo::cli::tree
