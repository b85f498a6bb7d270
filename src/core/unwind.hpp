// Undo for steps that must be waited for: ending a process, taking back a record. Like Undo, each step registers its
// undo on the next line, last first; unlike it, the failing operation awaits unwind() itself, so that when its error is
// answered nothing is left and the guest can be started again at once. Steps are calls of named coroutines.
#pragma once

#include <functional>
#include <vector>

namespace vireo::core {

class Unwind {
 public:
  using Step = std::move_only_function<asio::awaitable<void>()>;

  void add(Step step) { steps_.push_back(std::move(step)); }
  void keep() { steps_.clear(); }

  asio::awaitable<void> unwind() {
    while (!steps_.empty()) {
      auto step = std::move(steps_.back());
      steps_.pop_back();
      co_await step();
    }
  }

 private:
  std::vector<Step> steps_;
};

}  // namespace vireo::core
