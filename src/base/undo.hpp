// Undo: what to take back if the rest of an operation fails. Each step that changes something outside registers its
// undo on the next line; when the operation succeeds, keep() forgets them all. Undone last first, also by exceptions.
// Steps must not throw and must not block; what needs waiting for is spawned by the step.
#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace vireo {

class Undo {
 public:
  using Step = std::move_only_function<void()>;

  Undo() = default;
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() {
    while (!steps_.empty()) {
      auto step = std::move(steps_.back());
      steps_.pop_back();
      step();
    }
  }

  void add(Step step) { steps_.push_back(std::move(step)); }
  // The operation has succeeded: nothing is taken back.
  void keep() { steps_.clear(); }

 private:
  std::vector<Step> steps_;
};

}  // namespace vireo
