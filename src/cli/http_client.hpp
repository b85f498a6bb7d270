// The smallest HTTP client that vireod's door needs: one request on one connection over a unix socket, blocking, with a
// deadline. Touches nothing but the socket.
#pragma once

#include <chrono>
#include <string>

#include "base/error.hpp"

namespace vireo::cli {

struct Reply {
  int status = 0;
  std::string body;
};

// Errors: VIR_ERR_NO_CONNECT when nobody listens at the path or it may not be opened (the detail is the system's
// reason), VIR_ERR_SYSTEM_ERROR when the connection breaks, the answer is no HTTP or does not come in time.
// `timeout` 0: waits for as long as it takes.
Result<Reply> ask(const std::string& socket_path, const std::string& method, const std::string& target,
                  const std::string& body, std::chrono::seconds timeout);

// The text as one part of a path: everything but letters, digits and -._~ escaped.
std::string escape_part(std::string_view text);

}  // namespace vireo::cli
