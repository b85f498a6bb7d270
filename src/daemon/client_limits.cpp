// Options become limits.
#include "daemon/client_limits.hpp"

#include <sys/resource.h>

#include "base/log.hpp"

namespace vireo::daemon {

doors::libvirt::Limits client_limits(const Config& config) {
  using std::chrono::milliseconds;
  const auto bytes = [](int mib) { return static_cast<std::size_t>(mib) << 20; };
  return {.sessions = static_cast<std::size_t>(config.max_clients),
          .held_bytes = bytes(config.max_clients_mib),
          .calls_in_flight = static_cast<std::size_t>(config.max_client_calls),
          .write_queue_bytes = bytes(config.max_client_mib),
          .events_queued = static_cast<std::size_t>(config.max_client_events),
          .progress_timeout = milliseconds(config.client_timeout_ms),
          .keepalive_interval = milliseconds(config.keepalive_interval_ms),
          .keepalive_count = config.keepalive_count};
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) log::warn("cannot raise the limit of open files: errno {}", errno);
}

}  // namespace vireo::daemon
