// What happens when a domain comes or goes.
#include "doors/xenstore/common.hpp"

#include "doors/xenstore/client.hpp"
#include "doors/xenstore/owned_nodes.hpp"

namespace vireo::doors::xenstore {
Common::Common(tree::Store& tree_store, Services given_services, DoorLimits given_limits)
    : store(tree_store), services(std::move(given_services)), limits(given_limits) {}

void Common::introduce(tree::DomainId domain) {
  if (domains.introduce(domain)) return announcements.of_special(introduce_event, domain);
  for (auto* client : clients)
    if (client->domain() == domain) client->reset();
}

void Common::release(tree::DomainId domain) {
  domains.release(domain);
  for (auto* client : clients) {
    if (client->domain() != domain) continue;
    client->reset();
    client->end(Client::Over::released);
  }
  // Looks at the whole tree, so only for who still has something in it.
  if (store.usage_of(domain).nodes > 0) remove_nodes_of(domain);
  store.quotas().forget(domain);
  announcements.of_special(release_event, domain);
}

void Common::remove_nodes_of(tree::DomainId domain) {
  const auto paths = owned_nodes(store.root(), domain);
  store.keep([&](tree::Store::Keeper& keeper) {
    for (const auto& path : paths) keeper.remove(*tree::Path::parse(path));
  });
}

}  // namespace vireo::doors::xenstore
