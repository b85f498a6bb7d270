// Admission: how many guests are being launched at one moment. More than the host can serve would only make each of
// them slower. First come, first served. A launch that takes unusually long (a QEMU that hangs on its way up) stops
// counting after a while, so that hung launches cannot keep others out. How many there may be is decided by core/pace.
// Core thread only, but for figures().
#pragma once

#include <list>
#include <memory>
#include <utility>

#include "core/lane.hpp"

namespace vireo::core {

class Admission {
  using PlaceInLine = std::list<SteadyClock::time_point>::iterator;

  struct State {
    std::list<SteadyClock::time_point> places;           // when each was taken, oldest first
    std::shared_ptr<Wake> room;                          // what the first in line waits for
    std::atomic<unsigned> limit, inside{0}, waiting{0};  // the core writes, any thread reads

    void make_room() const {
      if (room) room->fire();
    }
  };

 public:
  struct Figures {
    unsigned limit, inside, waiting;
  };

  // Being admitted; destroying it makes room for the next.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept : state_(std::move(other.state_)), at_(other.at_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(state_, other.state_);
      std::swap(at_, other.at_);
      return *this;
    }
    ~Place() {
      if (!state_) return;
      state_->places.erase(at_);
      --state_->inside;
      state_->make_room();
    }

   private:
    friend class Admission;
    Place(std::shared_ptr<State> state, PlaceInLine at) : state_(std::move(state)), at_(at) {}
    std::shared_ptr<State> state_;
    PlaceInLine at_{};
  };

  // After `patience` a launch does not count any more.
  Admission(const asio::any_io_executor& core, unsigned limit, std::chrono::milliseconds patience)
      : core_(core), line_(core, nullptr), patience_(patience) {
    state_->limit = limit;
  }

  // Waits until fewer launches count than may be under way. Errors: as Lane::enter.
  asio::awaitable<Result<Place>> enter(Deadline deadline,
                                       std::source_location where = std::source_location::current()) {
    const Waiting waiting(state_, where);
    auto first_in_line = co_await line_.enter("admission", deadline);
    if (!first_in_line) co_return pass_on(first_in_line);
    while (state_->places.size() >= state_->limit) {
      // The oldest of those that still count is the next that stops to.
      const auto nth =
          std::next(state_->places.begin(), static_cast<std::ptrdiff_t>(state_->places.size() - state_->limit));
      const auto overdue = Deadline::at(*nth + patience_);
      if (overdue.passed()) break;
      // Kept by the state alone: a waiter that is cancelled just leaves it there, and the next one replaces it.
      const auto room = state_->room = std::make_shared<Wake>(core_);
      co_await room->wait(deadline.earlier_of(overdue));
      if (deadline.passed())
        co_return fail(VIR_ERR_OPERATION_TIMEOUT, "too many guests are being started; try again later");
    }
    ++state_->inside;
    co_return Place(state_, state_->places.insert(state_->places.end(), SteadyClock::now()));
  }

  // At least one. Who waits is let in at once if there is room now.
  void set_limit(unsigned limit) {
    state_->limit = std::max(1U, limit);
    state_->make_room();
  }
  unsigned limit() const { return state_->limit; }
  unsigned inside() const { return state_->inside; }
  bool idle() const { return state_->inside == 0 && state_->waiting == 0; }
  Figures figures() const { return {.limit = state_->limit, .inside = state_->inside, .waiting = state_->waiting}; }

 private:
  // Counts who waits, and reports it if there was anything to wait for.
  class Waiting {
   public:
    Waiting(std::shared_ptr<State> state, std::source_location where) : state_(std::move(state)), where_(where) {
      ++state_->waiting;
    }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
    ~Waiting() {
      --state_->waiting;
      constexpr auto no_wait = std::chrono::microseconds(50);
      if (const auto waited = SteadyClock::now() - began_; waited > no_wait)
        WaitSite::at("admission", "launch", where_).add(waited, "launches under way");
    }

   private:
    std::shared_ptr<State> state_;
    const std::source_location where_;
    const SteadyClock::time_point began_ = SteadyClock::now();
  };

  const asio::any_io_executor core_;
  Lane line_;
  const std::chrono::milliseconds patience_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace vireo::core
