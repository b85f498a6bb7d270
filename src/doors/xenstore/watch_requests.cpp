// Setting and removing watches.
#include <cerrno>

#include "doors/xenstore/arguments.hpp"
#include "doors/xenstore/operations.hpp"

namespace vireo::doors::xenstore {

int watch(Client& client, const Request& request) {
  Strings strings(request.payload);
  const auto path = strings.next(), token = strings.next();
  if (!path || !token) return EINVAL;
  std::optional<std::uint32_t> depth;
  // Before there was a depth, a third string was reserved and empty.
  if (const auto text = strings.next(); text && !text->empty()) {
    depth = number_of(*text);
    const auto features = client.common().domains.features(client.domain());
    if (!depth || !strings.done() || (features & feature_watch_depth) == 0) return EINVAL;
  }
  return client.add_watch(request, *path, *token, depth);
}

int unwatch(Client& client, const Request& request) {
  Strings strings(request.payload);
  const auto path = strings.next(), token = strings.next();
  if (!path || !token) return EINVAL;
  return client.remove_watch(request, *path, *token);
}

int reset_watches(Client& client, const Request& request) {
  client.reset();
  return client.reply_ok(request);
}

}  // namespace vireo::doors::xenstore
