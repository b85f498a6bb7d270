// The seam between the core and what gives a guest access to its files: owners, and later security labels. Called on
// the core thread, answers there; an implementation works on workers. Files are those that the definition names.
#pragma once

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "model/definition.hpp"

namespace vireo::ports {

class Labeler {
 public:
  virtual ~Labeler() = default;

  // Makes the guest's files accessible to its process. When it fails nothing has changed. Errors: VIR_ERR_SYSTEM_ERROR
  // naming the file and the reason. Never waits longer than the deadline (VIR_ERR_OPERATION_TIMEOUT).
  virtual asio::awaitable<Result<void>> label(model::DomainDefPtr live, Deadline deadline) = 0;

  // Takes label() back, after the process has ended; also for a guest that an earlier daemon labelled. What cannot be
  // taken back is logged. Doing it twice does no harm.
  virtual asio::awaitable<void> restore(model::DomainDefPtr live, Deadline deadline) = 0;
};

// Changes nothing: guests run as whoever can reach their files anyway.
class NoLabeler final : public Labeler {
 public:
  asio::awaitable<Result<void>> label(model::DomainDefPtr, Deadline) override { co_return Result<void>{}; }
  asio::awaitable<void> restore(model::DomainDefPtr, Deadline) override { co_return; }
};

}  // namespace vireo::ports
