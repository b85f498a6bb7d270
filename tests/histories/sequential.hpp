// The host as it would be if calls came one after the other: small enough to be right by looking at it. For a state
// and a call with its answer it tells whether the answer could have been given there, and what the state is after it.
#pragma once

#include "tests/histories/history.hpp"

namespace vireo::tests {

// What the answers of other calls, which were under way at the same moments, excuse.
struct Excuse {
  // Another call had claimed the name or the UUID and did not get as far as making the guest.
  bool clash = false;
  // Somebody else ended that life, or its start, at the same time; both are told that it has ended.
  bool already_ended = false;
};

// Nothing: `call` cannot have had its answer in `state`. A call whose outcome is unknown is taken as one that did
// happen; that it did not is for the caller to try.
std::optional<HostState> after(const HostState& state, const Call& call, const Excuse& excuse);

Excuse excuse_of(const Call& call, const History& history);

}  // namespace vireo::tests
