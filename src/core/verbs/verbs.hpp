// Every change that a client can ask of a guest, one file each. All are coroutines on the core thread. Arguments come
// by value. A guest is named by the UUID and name that the client holds; when it has gone the error is
// VIR_ERR_NO_DOMAIN. What each verb needs of the guest's state stands in legality.hpp. While a verb waits for its turn
// in the guest's lane it is cancelled when its client goes away; once inside it runs to its end.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/host.hpp"

namespace vireo::core {

// A guest as a client names it.
struct DomainRef {
  Uuid uuid;
  std::string name;  // for the error message alone
};

struct StartOptions {
  bool paused = false;
  // Until when the start may wait for admission: the launch timeout then counts from there. None: it counts all of it.
  std::optional<Deadline> admission = std::nullopt;
  // For a caller that may want to give the launch up by itself.
  std::shared_ptr<Launching> launching = nullptr;
};

// Makes or replaces a persistent definition. Answers when it is durable. A running guest keeps its live definition.
asio::awaitable<Result<model::DomainViewPtr>> define(Host& host, model::DomainDef definition);

// Removes the persistent definition; a running guest becomes transient.
asio::awaitable<Result<void>> undefine(Host& host, DomainRef ref);

// Gives a persistent guest that is shut off another name. Answers when it is durable. Error: VIR_ERR_OPERATION_INVALID
// when the name is in use, also by a guest that is being made.
asio::awaitable<Result<void>> rename(Host& host, DomainRef ref, std::string name);

// Starts a guest from a definition that is not kept (of a persistent guest: in place of its own, for this once).
asio::awaitable<Result<model::DomainViewPtr>> create(Host& host, model::DomainDef definition, StartOptions options);

// Starts a persistent guest.
asio::awaitable<Result<model::DomainViewPtr>> start(Host& host, DomainRef ref, StartOptions options);

// Ends the guest's process, whatever its monitor or a verb that waits for it are doing. Gentle: SIGTERM only, so that
// disks are flushed; VIR_ERR_SYSTEM_ERROR if that does not end it in time.
asio::awaitable<Result<void>> destroy(Host& host, DomainRef ref, bool gentle);

// Stops and continues the vCPUs. Suspending a suspended guest succeeds.
asio::awaitable<Result<void>> suspend(Host& host, DomainRef ref);
asio::awaitable<Result<void>> resume(Host& host, DomainRef ref);

// The reset button.
asio::awaitable<Result<void>> reset(Host& host, DomainRef ref);
// The power button; what the guest does about it comes as events. reboot: the guest starts anew once it has powered
// off.
asio::awaitable<Result<void>> shutdown(Host& host, DomainRef ref);
asio::awaitable<Result<void>> reboot(Host& host, DomainRef ref);

asio::awaitable<Result<void>> set_autostart(Host& host, DomainRef ref, bool autostart);

// Changes title, description or metadata: `edit` is given each definition that `flags` (virDomainModificationImpact)
// mean. Answers when it is durable, and subscribers are told `what`. Error: also what `edit` says; then nothing has
// changed.
using DefinitionEdit = std::function<Result<void>(model::DomainDef&)>;
asio::awaitable<Result<void>> set_metadata(Host& host, DomainRef ref, DefinitionEdit edit, unsigned flags,
                                           model::MetadataChangeEvent what);

// How often the balloon's driver reports; 0: not at all. In each definition that `flags` mean, durably.
asio::awaitable<Result<void>> set_stats_period(Host& host, DomainRef ref, unsigned seconds, unsigned flags);

// Begins to measure for `seconds` how fast the guest changes its memory; the outcome is in its sample later.
enum class DirtyRateMode { sampling, bitmap, ring };
asio::awaitable<Result<void>> start_dirty_rate(Host& host, DomainRef ref, int seconds, DirtyRateMode mode);

// A raw monitor command; not in the lane, so that it can be used to look at a guest whose lane is held.
asio::awaitable<Result<std::string>> monitor_command(Host& host, DomainRef ref, std::string command, bool human);

}  // namespace vireo::core
