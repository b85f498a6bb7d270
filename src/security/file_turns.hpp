// Turns at files: whoever changes a file's owner or label reads what is remembered of it, changes it, and writes that
// down again, and nobody may come between. Only the same file is waited for: each has a queue of its own, in the order
// of asking, and a wait has a deadline. The mutex of the table is a leaf: nothing blocks while it is held, and who has
// a turn holds no mutex. For workers.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/counted_mutex.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"

namespace vireo::security {

class FileTurns {
  struct Queue {
    std::condition_variable_any moved;
    std::uint64_t next_ticket = 0;
    std::set<std::uint64_t> waiting;  // tickets not yet through, the first of them has the turn
  };
  using Key = std::pair<std::uint64_t, std::uint64_t>;

 public:
  // A turn; destroying it lets the next one go on.
  class Turn {
   public:
    Turn(Turn&& other) noexcept
        : turns_(std::exchange(other.turns_, nullptr)), key_(std::move(other.key_)), ticket_(other.ticket_) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (turns_) turns_->leave(key_, ticket_);
    }

   private:
    friend class FileTurns;
    Turn(FileTurns* turns, Key key, std::uint64_t ticket) : turns_(turns), key_(key), ticket_(ticket) {}
    FileTurns* turns_;
    Key key_;
    std::uint64_t ticket_;
  };

  // Waits for the turn at the file (`device`, `inode`: see stat(2)); `path` is for the message. Error:
  // VIR_ERR_OPERATION_TIMEOUT when the deadline passes first. A wait is reported as one of the line `where`.
  Result<Turn> take(std::uint64_t device, std::uint64_t inode, const std::string& path, Deadline deadline,
                    std::source_location where = std::source_location::current());

  // Files that somebody works on or waits for.
  std::size_t files() const;
  // Who works on this one or waits for it.
  std::size_t asking(std::uint64_t device, std::uint64_t inode) const;

  // Of this process: owners are changed by one daemon.
  static FileTurns& of_process();

 private:
  void leave(Key key, std::uint64_t ticket);

  mutable CountedMutex mutex_{"turns at files"};  // guards queues_
  std::map<Key, std::shared_ptr<Queue>> queues_;
};

}  // namespace vireo::security
