// Ids for running guests. None is ever used twice: the high-water mark is durable, and moved up by a block before the
// first id of that block is given out. Core thread only.
#pragma once

#include "core/lane.hpp"
#include "ports/definition_store.hpp"

namespace vireo::core {

class IdSource {
 public:
  IdSource(const asio::any_io_executor& core, ports::DefinitionStore& store) : store_(store), line_(core, "ids") {}

  asio::awaitable<Result<int>> next() {
    while (next_ == end_) {
      // One block for all who wait: whoever comes next finds what the one before has reserved.
      auto turn = co_await line_.enter("reserve a block", Deadline::in(patience));
      if (!turn) co_return pass_on(turn);
      if (next_ != end_) break;
      auto first = co_await store_.reserve_ids(block);
      if (!first) co_return pass_on(first);
      if (first_ == 0) first_ = *first;
      next_ = *first;
      end_ = *first + block;
    }
    co_return next_++;
  }

  // Whether the id is of a block that was reserved since this daemon started.
  bool reserved_now(int id) const { return first_ > 0 && id >= first_; }

 private:
  // Small, because a daemon that is restarted leaves the rest of its block unused, and people read these numbers.
  static constexpr int block = 16;
  static constexpr std::chrono::seconds patience{60};
  ports::DefinitionStore& store_;
  Lane line_;
  int first_ = 0, next_ = 0, end_ = 0;
};

}  // namespace vireo::core
