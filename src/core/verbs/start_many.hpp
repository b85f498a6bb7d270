// start_many: one call that starts a batch of guests, each as `start` does, all at once, and tells of each what became
// of it. One guest's failure stops no other, unless the batch is to be all or nothing. Core thread only.
#pragma once

#include "core/verbs/verbs.hpp"

namespace vireo::core {

// Which guests: those named, or those that a pattern fits.
struct BatchGuests {
  std::vector<std::string> named;      // UUIDs or names; a guest that is named twice is started once
  std::optional<std::string> pattern;  // instead: what is shut off and has a name that fits (model/glob.hpp)
};

struct BatchOptions {
  bool paused = false;
  // When one guest does not start, none does: what waits is not begun, and what was begun is ended again.
  bool all_or_nothing = false;
  unsigned parallel = 0;  // at most so many at one moment; 0: as admission allows
};

struct BatchResult {
  enum class Outcome {
    NotBegun,  // all or nothing, and another had failed; or the client had gone
    Started,
    AlreadyRunning,  // an error for a guest that was named
    Failed,
    Undone,  // started, and ended again because another had failed
  };
  DomainRef domain;  // of a name that nobody has: without a UUID
  Outcome outcome = Outcome::NotBegun;
  int id = -1;                 // of the life that began
  std::optional<Error> error;  // Failed; AlreadyRunning where it is an error
  SteadyClock::time_point at;  // when it was known

  // Whether the guest is as the batch was to leave it.
  bool good() const { return outcome == Outcome::Started || (outcome == Outcome::AlreadyRunning && !error); }
};

// In the order in which the guests were named, or by name. A caller that goes away (cancellation) ends the starts that
// wait for their lane or for admission; those that are admitted run to their end. Error: VIR_ERR_OPERATION_TIMEOUT when
// the guests cannot be chosen in time.
asio::awaitable<Result<std::vector<BatchResult>>> start_many(Host& host, BatchGuests guests, BatchOptions options);

// The same for guests that are known; one that runs already is good.
asio::awaitable<std::vector<BatchResult>> start_these(Host& host, std::vector<DomainRef> guests, BatchOptions options);

}  // namespace vireo::core
