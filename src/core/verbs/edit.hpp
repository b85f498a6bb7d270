// Changing a guest's definitions in place: the one that runs, the one that is kept, or both. A verb prepares the change
// while it is in the guest's lane, tells QEMU what there is to tell, and keeps it.
#pragma once

#include <memory>

#include "core/verbs/verbs.hpp"

namespace vireo::core {

// What will stand in the definitions that the flags mean.
struct Edited {
  std::shared_ptr<Run> run;  // null: the live one is not meant
  model::DomainDefPtr live, config;
};

// Nothing changes yet. `flags`: virDomainModificationImpact; CURRENT is the live definition of a guest that runs.
// Errors: VIR_ERR_OPERATION_INVALID in libvirt's words when what the flags mean is not there, and what `edit` says.
Result<Edited> prepare_edit(const Domain& domain, const DefinitionEdit& edit, unsigned flags);

// Answers when all of it is durable and published.
asio::awaitable<Result<void>> keep_edit(Host& host, DomainPtr domain, Edited edited, DefinitionEdit edit);

}  // namespace vireo::core
