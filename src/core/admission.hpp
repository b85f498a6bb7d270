// Admission: how many guests are being launched at one moment. More than the processors can serve would only make each
// of them slower. First come, first served. A launch that takes unusually long (a QEMU that hangs on its way up) stops
// counting after a while, so that hung launches cannot keep others out. Core thread only.
#pragma once

#include <list>
#include <memory>
#include <utility>

#include "core/lane.hpp"

namespace vireo::core {

class Admission {
  struct State {
    std::list<SteadyClock::time_point> places;  // when each was taken, oldest first
    std::shared_ptr<Wake> room;                 // what the first in line waits for
  };

 public:
  using PlaceInLine = std::list<SteadyClock::time_point>::iterator;

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
      if (state_->room) state_->room->fire();
    }

   private:
    friend class Admission;
    Place(std::shared_ptr<State> state, PlaceInLine at) : state_(std::move(state)), at_(at) {}
    std::shared_ptr<State> state_;
    PlaceInLine at_{};
  };

  // After `patience` a launch does not count any more.
  Admission(const asio::any_io_executor& core, std::chrono::milliseconds patience)
      : core_(core), line_(core), patience_(patience) {}

  // Waits until fewer than `limit` launches count. Errors: as Lane::enter.
  asio::awaitable<Result<Place>> enter(std::size_t limit, Deadline deadline) {
    auto first_in_line = co_await line_.enter("admission", deadline);
    if (!first_in_line) co_return pass_on(first_in_line);
    while (state_->places.size() >= limit) {
      // The oldest of those that still count is the next that stops to.
      const auto nth = std::next(state_->places.begin(), static_cast<std::ptrdiff_t>(state_->places.size() - limit));
      const auto overdue = Deadline::at(*nth + patience_);
      if (overdue.passed()) break;
      // Kept by the state alone: a waiter that is cancelled just leaves it there, and the next one replaces it.
      const auto room = state_->room = std::make_shared<Wake>(core_);
      co_await room->wait(deadline.earlier_of(overdue));
      if (deadline.passed())
        co_return fail(VIR_ERR_OPERATION_TIMEOUT, "too many guests are being started; try again later");
    }
    co_return Place(state_, state_->places.insert(state_->places.end(), SteadyClock::now()));
  }

  std::size_t inside() const { return state_->places.size(); }

 private:
  const asio::any_io_executor core_;
  Lane line_;
  const std::chrono::milliseconds patience_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace vireo::core
