// From commits to events, and what happens when a domain comes or goes.
#include "doors/xenstore/common.hpp"

#include "doors/xenstore/client.hpp"
#include "doors/xenstore/owned_nodes.hpp"
#include "tree/draft.hpp"

namespace vireo::doors::xenstore {
namespace {

// A domain hears of what it may read, or whose parent it may: the node as it is or, if it is gone, as it was.
bool may_hear(const tree::Caller& caller, const tree::Node& root, std::string_view path, const tree::Node* node) {
  const auto readable = [&](const tree::Node* one) {
    return one && tree::allows(one->permissions(), caller, tree::Rights::read);
  };
  if (readable(node)) return true;
  const auto at = tree::Path::parse(path);
  return at && readable(tree::find(root, at->parent()));
}

}  // namespace

Common::Common(tree::Store& tree_store, Services given_services, DoorLimits given_limits)
    : store(tree_store), services(std::move(given_services)), limits(given_limits) {}

void Common::announce(const tree::Commit& commit) {
  if (watches.size() == 0) return;
  watches.match(commit, [&](const tree::Watch& watch, std::string_view path, const tree::Node* node) {
    auto& client = *static_cast<Client*>(watch.owner);
    if (client.privileged() || may_hear(client.caller(), commit.root, path, node)) client.tell(watch, path);
  });
}

void Common::announce_special(std::string_view name, tree::DomainId domain) {
  const auto& permissions = *domains.special(name);
  watches.match_special(name, domain, [&](const tree::Watch& watch, std::string_view path, const tree::Node*) {
    auto& client = *static_cast<Client*>(watch.owner);
    if (client.privileged() || tree::allows(permissions, client.caller(), tree::Rights::read)) client.tell(watch, path);
  });
}

void Common::introduce(tree::DomainId domain) {
  if (domains.introduce(domain)) return announce_special(introduce_event, domain);
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
  announce_special(release_event, domain);
}

void Common::remove_nodes_of(tree::DomainId domain) {
  const auto paths = owned_nodes(store.root(), domain);
  store.keep([&](tree::Store::Keeper& keeper) {
    for (const auto& path : paths) keeper.remove(*tree::Path::parse(path));
  });
}

}  // namespace vireo::doors::xenstore
