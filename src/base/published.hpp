// Published<T>: hands a version of an immutable T from the thread that writes it to all that read it. A reader keeps a
// reference of its own per thread and renews it when an atomic version number has moved, so a read in the usual case
// takes no lock and touches no counter that another thread touches.
//
// pin() is for the length of one synchronous read: the Pin lives on the stack of the thread that took it and must not
// be held across a suspension. While a thread holds a Pin, further pins of that thread give the same version, so one
// answer never mixes two. snapshot() gives a shared reference that may be kept.
//
// The writer may publish from any thread, one at a time. A thread's own reference keeps its last version alive until
// that thread reads again or ends: bounded by the number of threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "base/counted_mutex.hpp"

namespace vireo {

template <class T>
class Published {
  struct Slot {
    std::shared_ptr<const T> value;
    std::uint64_t version = 0;
    unsigned pins = 0;
  };

 public:
  class Pin {
   public:
    explicit Pin(Slot& slot) : slot_(slot) { ++slot_.pins; }
    ~Pin() { --slot_.pins; }
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;
    const T& operator*() const { return *slot_.value; }
    const T* operator->() const { return slot_.value.get(); }

   private:
    Slot& slot_;
  };

  explicit Published(std::shared_ptr<const T> first) : value_(std::move(first)) {}
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  void publish(std::shared_ptr<const T> next) {
    {
      const CountedMutex::Hold hold(mutex_);
      value_.swap(next);
      version_.fetch_add(1, std::memory_order_release);
    }
    // What was current is destroyed here, outside the mutex, if no reader has it.
  }

  [[nodiscard]] Pin pin() const {
    Slot& slot = slot_of_this_thread();
    if (slot.pins == 0 && slot.version != version_.load(std::memory_order_acquire)) {
      std::shared_ptr<const T> old;  // destroyed after the mutex is released
      const CountedMutex::Hold hold(mutex_);
      old = std::exchange(slot.value, value_);
      slot.version = version_.load(std::memory_order_relaxed);
    }
    return Pin(slot);
  }

  [[nodiscard]] std::shared_ptr<const T> snapshot() const {
    const CountedMutex::Hold hold(mutex_);
    return value_;
  }

 private:
  Slot& slot_of_this_thread() const {
    // By number and not by address: an address may be used again by another Published.
    static thread_local std::unordered_map<std::uint64_t, Slot> slots;
    static thread_local std::pair<std::uint64_t, Slot*> last{0, nullptr};
    if (last.first != number_) last = {number_, &slots[number_]};
    return *last.second;
  }
  static std::uint64_t next_number() {
    static std::atomic<std::uint64_t> next{1};
    return next.fetch_add(1, std::memory_order_relaxed);
  }

  const std::uint64_t number_ = next_number();
  std::atomic<std::uint64_t> version_{1};            // a fresh slot's 0 is never current
  mutable CountedMutex mutex_{"published version"};  // guards value_ and orders it with version_
  std::shared_ptr<const T> value_;
};

}  // namespace vireo
