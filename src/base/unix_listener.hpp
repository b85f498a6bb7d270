// Listening on a unix socket: replaces what an earlier process left behind at the path, accepts until it is told to
// stop, and rests when the process is out of descriptors. What becomes of a connection is its owner's affair. For
// doors; everything happens on the executor given, but for stop(), which any thread may call.
#pragma once

#include <filesystem>

#include "base/listener.hpp"

namespace vireo {

class UnixListener final : public Listener<asio::local::stream_protocol> {
 public:
  explicit UnixListener(const asio::any_io_executor& executor) : Listener(executor) {}

  // Replaces a socket at `path`, sets `mode` (0777) and listens. Error: VIR_ERR_SYSTEM_ERROR naming the path.
  Result<void> listen(const std::filesystem::path& path, std::filesystem::perms mode);
  // Takes over a descriptor that listens already; its path is not removed at the end.
  Result<void> adopt(int listening_fd);

  // Any thread. Removes the path, too.
  void stop() override;

 private:
  std::filesystem::path path_;  // empty: not ours to remove
};

}  // namespace vireo
