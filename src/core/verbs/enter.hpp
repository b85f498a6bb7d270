// How every verb begins: find the guest, wait for its lane, look again, ask whether its state allows the verb.
#pragma once

#include <source_location>

#include "core/legality.hpp"
#include "core/verbs/verbs.hpp"

namespace vireo::core {

// VIR_ERR_NO_DOMAIN in libvirt's words.
std::unexpected<Error> no_such_domain(const DomainRef& ref);

// Waits for the lane. From its return on the calling coroutine can no longer be cancelled; but for Start and Create,
// which have more to wait for and see to that in bring_up.
asio::awaitable<Result<LaneHold>> enter_lane(Host& host, DomainPtr domain, Verb verb,
                                             std::source_location where = std::source_location::current());

struct Entered {
  DomainPtr domain;
  LaneHold hold;
};
asio::awaitable<Result<Entered>> enter(Host& host, DomainRef ref, Verb verb,
                                       std::source_location where = std::source_location::current());

// The guest's life, with a process that can be asked. Error: VIR_ERR_OPERATION_INVALID when there is none, or while it
// is still being taken over from an earlier daemon.
Result<std::shared_ptr<Run>> reachable_run(const Domain& domain);

}  // namespace vireo::core
