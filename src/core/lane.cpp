// How a lane is passed on: whoever leaves hands it to the first in the queue, in the same step, so that nobody who
// comes between can overtake.
#include "core/lane.hpp"

#include <algorithm>

namespace vireo::core {

struct LaneHold::State {
  State(asio::any_io_executor e, const char* o, std::shared_ptr<model::Pulse> p)
      : core(std::move(e)), of(o), pulse(std::move(p)) {}
  struct Waiter {
    Waiter(const asio::any_io_executor& e, const char* v) : turn(e), verb(v) {}
    Wake turn;
    const char* verb;
  };
  asio::any_io_executor core;
  const char* of;
  const char* holder = nullptr;
  std::list<std::shared_ptr<Waiter>> queue;
  std::shared_ptr<model::Pulse> pulse;

  void show() const {
    if (!pulse) return;
    if (holder)
      pulse->lane.entered(holder, SteadyClock::now());
    else
      pulse->lane.left();
    pulse->lane.set_waiting(queue.size());
  }
};

LaneHold& LaneHold::operator=(LaneHold&& other) noexcept {
  if (this != &other) {
    leave();
    state_ = std::move(other.state_);
  }
  return *this;
}

LaneHold::~LaneHold() { leave(); }

void LaneHold::leave() {
  if (!state_) return;
  auto state = std::move(state_);
  if (state->queue.empty()) {
    state->holder = nullptr;
    state->show();
    return;
  }
  auto next = std::move(state->queue.front());
  state->queue.pop_front();
  state->holder = next->verb;
  state->show();
  next->turn.fire();
}

Lane::Lane(const asio::any_io_executor& core, const char* of, std::shared_ptr<model::Pulse> pulse)
    : state_(std::make_shared<LaneHold::State>(core, of, std::move(pulse))) {}

const char* Lane::holder() const { return state_->holder; }
std::size_t Lane::waiting() const { return state_->queue.size(); }

// A place in the queue: given up however the wait ends, also when it ends by an exception in a cancelled coroutine.
struct Lane::Place {
  std::shared_ptr<LaneHold::State> state;
  std::shared_ptr<LaneHold::State::Waiter> waiter;
  bool taken = false;

  ~Place() {
    if (taken) return;
    if (waiter->turn.fired())
      LaneHold(state).leave();  // the turn came after all: pass it on
    else
      std::erase(state->queue, waiter);
    if (state->pulse) state->pulse->lane.set_waiting(state->queue.size());
  }
};

asio::awaitable<Result<LaneHold>> Lane::enter(const char* verb, Deadline deadline, std::source_location where) {
  auto state = state_;  // the guest may go while we wait
  if (!state->holder) {
    state->holder = verb;
    state->show();
    co_return LaneHold(state);
  }
  const auto began = SteadyClock::now();
  const char* const in_the_way = state->holder;
  auto waiter = std::make_shared<LaneHold::State::Waiter>(state->core, verb);
  Place place{state, waiter};
  state->queue.push_back(waiter);
  if (state->pulse) state->pulse->lane.set_waiting(state->queue.size());
  const bool mine = co_await waiter->turn.wait(deadline);
  if (state->of) WaitSite::at("lane", state->of, where).add(SteadyClock::now() - began, in_the_way);
  if (mine) {
    place.taken = true;
    co_return LaneHold(state);
  }
  if (!deadline.passed())
    co_return fail(VIR_ERR_OPERATION_ABORTED, "the caller of '" + std::string(verb) + "' has gone");
  // libvirt's own words for this, so that scripts which look for them find them.
  co_return fail(VIR_ERR_OPERATION_TIMEOUT, std::string("cannot acquire state change lock (held by '") +
                                                (state->holder ? state->holder : "nobody") + "')");
}

}  // namespace vireo::core
