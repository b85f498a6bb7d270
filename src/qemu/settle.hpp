// What passes between Vireo and a QEMU besides its command line: settings that only the monitor takes, and what only
// the running QEMU knows of the live definition. All of it is asked and told at once. Core thread only.
#pragma once

#include <memory>
#include <vector>

#include "model/definition.hpp"
#include "qemu/guest.hpp"
#include "qmp/message.hpp"

namespace vireo::qemu {

bool has_balloon(const model::DomainDef& def);
// The balloon's place in QEMU's object tree; empty: the guest has none.
std::string balloon_path(const model::DomainDef& live);

using LiveDef = std::shared_ptr<model::DomainDef>;

struct Setting {
  std::string command;
  qmp::json::object arguments;
};

// Links that are down, how much the balloon shall leave, how often it reports: to be said while no vCPU runs. Pure.
std::vector<Setting> settings_of(const model::DomainDef& live);

// At start, before the vCPUs run: says the settings, and fills terminals, ports and the memory that the guest begins
// with into `live`. What QEMU refuses fails the start.
asio::awaitable<Result<void>> settle(LiveDef live, GuestStatePtr guest, Deadline deadline);

// After an adoption: which channels the guest holds open and how much memory its balloon leaves, as it is by now.
// What QEMU does not tell stays as it was recorded.
asio::awaitable<void> refresh(LiveDef live, GuestStatePtr guest, Deadline deadline);

}  // namespace vireo::qemu
