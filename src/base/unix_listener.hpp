// Listening on a unix socket: replaces what an earlier process left behind at the path, accepts until it is told to
// stop, and rests when the process is out of descriptors. What becomes of a connection is its owner's affair. For
// doors; everything happens on the executor given, but for stop(), which any thread may call.
#pragma once

#include <filesystem>

#include "base/error.hpp"

namespace vireo {

class UnixListener : public std::enable_shared_from_this<UnixListener> {
 public:
  using Protocol = asio::local::stream_protocol;
  // Which executor the next connection belongs to, and what is done with it. Called on the listener's executor.
  using Next = std::function<asio::any_io_executor()>;
  using Accepted = std::function<void(Protocol::socket)>;
  // Told of every failure to accept; the listener rests a moment and goes on.
  using Failed = std::function<void(const std::string& why)>;

  explicit UnixListener(const asio::any_io_executor& executor) : acceptor_(executor), rest_(executor) {}

  // Replaces a socket at `path`, sets `mode` (0777) and listens. Error: VIR_ERR_SYSTEM_ERROR naming the path.
  Result<void> listen(const std::filesystem::path& path, std::filesystem::perms mode);
  // Takes over a descriptor that listens already; its path is not removed at the end.
  Result<void> adopt(int listening_fd);

  // Begins to accept, until stop().
  void accept(Next next, Accepted accepted, Failed failed);
  // Any thread. Accepts nothing more, and removes the path.
  void stop();

 private:
  static asio::awaitable<void> accept_loop(std::shared_ptr<UnixListener> self, Next next, Accepted accepted,
                                           Failed failed);

  Protocol::acceptor acceptor_;
  asio::steady_timer rest_;
  std::filesystem::path path_;  // empty: not ours to remove
  bool stopped_ = false;        // on the executor
};

}  // namespace vireo
