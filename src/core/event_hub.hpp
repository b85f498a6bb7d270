// The event hub: hands what happens to guests to all who subscribed, in the order in which it happened. Core thread
// only; a subscriber that belongs elsewhere posts there and must not take time here.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "model/event.hpp"

namespace vireo::core {

class EventHub {
 public:
  using Subscriber = std::function<void(const model::DomainEvent&)>;

  // Cancelled by destroying what comes back, on the core thread.
  class Subscription {
   public:
    Subscription(EventHub& hub, int number) : hub_(&hub), number_(number) {}
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;
    ~Subscription() { hub_->subscribers_.erase(number_); }

   private:
    EventHub* hub_;
    int number_;
  };

  [[nodiscard]] std::unique_ptr<Subscription> subscribe(Subscriber subscriber) {
    const int number = next_++;
    subscribers_.emplace(number, std::move(subscriber));
    return std::make_unique<Subscription>(*this, number);
  }

  void emit(const model::DomainEvent& event) {
    for (const auto& [number, subscriber] : subscribers_) subscriber(event);
  }

 private:
  int next_ = 1;
  std::map<int, Subscriber> subscribers_;
};

}  // namespace vireo::core
