// A client of xenstore's protocol that does nothing on top of it: frames there and back over the socket, alone or many
// in one write. Blocks. Throws Broken where the server hangs up or answers what it should not: a measurement ends
// there.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/fd.hpp"

namespace vireo::bench::xenstore {

class Broken : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A server has no way to answer that; that is not the measurement's fault.
class Unable : public Broken {
  using Broken::Broken;
};

struct Frame {
  std::uint32_t type = 0;
  std::uint32_t request = 0;
  std::uint32_t transaction = 0;
  std::string_view payload = {};  // valid until the next frame is taken

  bool is_error() const;
  bool is_error(std::string_view name) const;  // "ENOENT"
  bool is_event() const;
};

class Client {
 public:
  explicit Client(const std::string& socket);

  // Puts a request into the next write: `first` and a zero byte, then `rest` as it is.
  void put(std::uint32_t type, std::uint32_t transaction, std::string_view first, std::string_view rest = {});
  void send();
  // The next frame, events too.
  Frame next();
  // The next answer; events before it are let go.
  Frame answer();
  // The next answer, which must be no error.
  Frame good_answer();

  // One request and its answer.
  Frame ask(std::uint32_t type, std::uint32_t transaction, std::string_view first, std::string_view rest = {});
  Frame get(std::uint32_t type, std::uint32_t transaction, std::string_view first, std::string_view rest = {});

  std::uint32_t begin();
  // False: it lost.
  bool commit(std::uint32_t transaction);

 private:
  Fd socket_;
  std::string out_;
  std::string in_;
  std::size_t taken_ = 0;  // of in_
  std::uint32_t request_ = 0;
};

}  // namespace vireo::bench::xenstore
