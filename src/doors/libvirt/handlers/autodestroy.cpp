// Ending what a client that is gone has started.
#include "doors/libvirt/handlers/autodestroy.hpp"

#include "base/log.hpp"
#include "core/verbs/verbs.hpp"

namespace vireo::doors::libvirt {

void Autodestroy::add(core::Host& host, const model::DomainView& domain) {
  entries_.push_back({.host = &host, .uuid = domain.uuid, .name = domain.name, .id = domain.id});
  if (ended_) end();
}

void Autodestroy::end() {
  ended_ = true;
  for (const auto& entry : std::exchange(entries_, {}))
    asio::co_spawn(entry.host->core, destroy(entry), asio::detached);
}

asio::awaitable<void> Autodestroy::destroy(Entry entry) {
  const auto domain = entry.host->registry.find(entry.uuid);
  if (!domain || domain->view->id != entry.id) co_return;
  auto done = co_await core::destroy(*entry.host, {.uuid = entry.uuid, .name = entry.name}, false);
  if (!done) log::error("guest '{}' outlives its client: {}", entry.name, done.error().message());
}

}  // namespace vireo::doors::libvirt
