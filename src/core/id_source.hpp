// Ids for running guests. None is ever used twice: the high-water mark is durable, and moved up by a block before the
// first id of that block is given out. Core thread only.
#pragma once

#include "ports/definition_store.hpp"

namespace vireo::core {

class IdSource {
 public:
  explicit IdSource(ports::DefinitionStore& store) : store_(store) {}

  asio::awaitable<Result<int>> next() {
    while (next_ == end_) {
      auto first = co_await store_.reserve_ids(block);
      if (!first) co_return pass_on(first);
      // Somebody else may have reserved meanwhile; the block that comes later wins and the rest of the other is unused.
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
  ports::DefinitionStore& store_;
  int first_ = 0, next_ = 0, end_ = 0;
};

}  // namespace vireo::core
