// set_metadata: what a definition says for people and applications, changed in place. QEMU is told nothing of it.
#include "core/verbs/edit.hpp"
#include "core/verbs/enter.hpp"

namespace vireo::core {

asio::awaitable<Result<void>> set_metadata(Host& host, DomainRef ref, DefinitionEdit edit, unsigned flags,
                                           model::MetadataChangeEvent what) {
  auto entered = co_await enter(host, std::move(ref), Verb::SetMetadata);
  if (!entered) co_return pass_on(entered);
  const auto& domain = entered->domain;
  auto edited = prepare_edit(*domain, edit, flags);
  if (!edited) co_return pass_on(edited);
  if (auto done = co_await keep_edit(host, domain, std::move(*edited), std::move(edit)); !done) co_return done;
  if (domain->view)
    host.events.emit({.name = domain->name, .uuid = domain->uuid, .id = domain->view->id, .what = std::move(what)});
  co_return Result<void>{};
}

}  // namespace vireo::core
