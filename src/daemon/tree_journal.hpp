// What of the tree survives the daemon. The journal hears of every commit and notes which paths it changed; it takes
// what these paths hold from one version of the tree, and hands that as one batch to the store, which writes it as one
// transaction. So what is on disk is always a version that the tree had, and no transaction is ever half there. While a
// batch is being written the next changes are noted, and go together into the next one.
//
// Lives on the tree's thread. A worker looks up what the paths hold, for a version that is held never changes, and
// writes it. What is noted is bounded: beyond, nothing more is noted, and the next batch is the whole tree.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/wake.hpp"
#include "base/workers.hpp"
#include "daemon/tree_notes.hpp"
#include "ports/tree_store.hpp"
#include "tree/store.hpp"

namespace vireo::daemon {

class TreeJournal {
 public:
  enum class Mode : std::uint8_t {
    behind,  // nobody waits; a batch is written at most once in a period
    sync,    // settle() waits until what was committed before is durable; batches are written one after the other
  };
  struct Options {
    Mode mode = Mode::behind;
    // What is not kept: a path of which this is so, and all below it.
    std::function<bool(tree::Path)> leave_out;
    std::chrono::milliseconds period{100};
    std::chrono::milliseconds retry{1'000};  // after the store has failed
    std::size_t most_noted_bytes = std::size_t{16} << 20;
  };

  // `workers` is a pool of one thread of its own, so that a disk that hangs holds nobody else.
  TreeJournal(asio::any_io_executor executor, tree::Store& tree, ports::TreeStore& store, Workers& workers,
              Options options);

  // Both before the tree has any other user. restore() blocks, and returns how many nodes there were; start() begins to
  // note what is changed.
  Result<std::size_t> restore();
  void start();

  // Calls `then` as soon as what has been committed until now may be acknowledged: in mode behind at once, in mode sync
  // when it is durable. While the disk fails that is not so, and nothing is acknowledged.
  void settle(std::function<void()> then);

  // Writes what is left, without waiting for the period's end. False: not all of it was durable at the deadline.
  asio::awaitable<bool> finish(Deadline deadline);

  // Any thread.
  struct Figures {
    std::uint64_t batches = 0, nodes = 0;  // written: nodes as often as they were
    std::uint64_t failures = 0;            // of the store
    std::uint64_t noted = 0;               // paths that wait for a batch
    std::uint64_t held = 0;                // calls of settle() that wait
  };
  Figures figures() const;

 private:
  // What a batch is made from. The version is held until the batch is written; a worker looks into it, since what is
  // held never changes, and changes nothing there itself, nor how often anything is referred to.
  struct Load {
    TreeNotes notes;
    bool whole = false;
    tree::Ref<const tree::Node> version;
    std::uint64_t nodes = 0;  // written
  };
  using LoadPtr = std::shared_ptr<Load>;

  void note(const tree::Commit& commit);
  bool dirty() const { return whole_ || !notes_.empty(); }
  asio::awaitable<void> write_batches();
  LoadPtr take();
  Result<void> write(Load& load) const;
  asio::awaitable<void> save(LoadPtr load);
  void failed(const Error& error);
  void release();
  asio::awaitable<void> wait(SteadyClock::duration span);
  asio::awaitable<void> pause(SteadyClock::time_point until);

  const asio::any_io_executor executor_;
  tree::Store& tree_;
  ports::TreeStore& store_;
  Workers& workers_;
  const Options options_;

  TreeNotes notes_;
  bool whole_ = false;                     // too much was noted: the next batch is everything
  std::uint64_t taken_ = 0, durable_ = 0;  // batches
  std::deque<std::pair<std::uint64_t, std::function<void()>>> held_;  // until the batch with this number is durable
  bool finishing_ = false;
  std::optional<SteadyClock::time_point> complained_;  // when the log last said that the store fails
  bool complaining_ = false;                           // and not yet that it works again
  std::optional<Wake> changed_, pause_, finished_;

  std::atomic<std::uint64_t> batches_{0}, nodes_{0}, failures_{0}, noted_count_{0}, held_count_{0};
};

}  // namespace vireo::daemon
