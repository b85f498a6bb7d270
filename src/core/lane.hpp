// A lane: the queue in which changes to one guest wait for each other. Entering is an awaitable FIFO with a deadline
// and cancellation; the LaneHold that comes out keeps the lane until it is destroyed, across any number of suspensions.
// (A strand would not do: it lets the next one in at the first co_await.) All of it on the core thread.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/wait_site.hpp"
#include "base/wake.hpp"
#include "model/pulse.hpp"

namespace vireo::core {

class Lane;

// Being in a lane. Keeps the lane's state alive, so it may outlive the guest's entry in the registry.
class LaneHold {
 public:
  LaneHold() = default;
  LaneHold(LaneHold&&) noexcept = default;
  LaneHold& operator=(LaneHold&& other) noexcept;
  ~LaneHold();

 private:
  friend class Lane;
  struct State;
  explicit LaneHold(std::shared_ptr<State> state) : state_(std::move(state)) {}
  void leave();
  std::shared_ptr<State> state_;
};

class Lane {
 public:
  // `of`: whose lanes these are, for the report of waits; null: its owner reports them.
  // `pulse`: where everybody may see who is inside; null: nowhere.
  explicit Lane(const asio::any_io_executor& core, const char* of = "guest",
                std::shared_ptr<model::Pulse> pulse = nullptr);

  // Waits for its turn, first come first served. `verb` names the caller to whoever waits behind it ("start").
  // Errors: VIR_ERR_OPERATION_TIMEOUT at the deadline, naming who holds the lane; VIR_ERR_OPERATION_ABORTED when the
  // waiting coroutine is cancelled. In both cases it has left the queue.
  // A wait is reported as one of the line `where`.
  asio::awaitable<Result<LaneHold>> enter(const char* verb, Deadline deadline,
                                          std::source_location where = std::source_location::current());

  // The verb that is inside, or nullptr.
  const char* holder() const;
  std::size_t waiting() const;

 private:
  struct Place;
  std::shared_ptr<LaneHold::State> state_;
};

}  // namespace vireo::core
