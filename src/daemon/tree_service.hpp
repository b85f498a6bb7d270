// The tree in the daemon: its thread, the tree, running guests in it, and the door through which Xen's clients come.
// What follows is for the thread that starts and ends the daemon, but for counters().
#pragma once

#include <atomic>
#include <filesystem>

#include "base/gate.hpp"
#include "base/io_thread.hpp"
#include "base/workers.hpp"
#include "core/verbs/verbs.hpp"
#include "daemon/tree_guests.hpp"
#include "daemon/tree_journal.hpp"
#include "doors/http/services.hpp"
#include "doors/xenstore/door.hpp"
#include "tree/store.hpp"

namespace vireo::daemon {

class TreeService {
 public:
  // What is not of guests outlives the daemon in `store`; without one, it does not.
  struct Kept {
    std::unique_ptr<ports::TreeStore> store;
    TreeJournal::Mode mode = TreeJournal::Mode::behind;
  };
  // The guests of `host` are shown, which outlives this.
  TreeService(core::Host& host, Kept kept);
  TreeService(const TreeService&) = delete;
  TreeService& operator=(const TreeService&) = delete;
  ~TreeService() { stop(); }

  // Restores what was kept, and begins to follow the host, whose core runs already: when it returns, the guests that
  // run by now are in the tree. Error: what was kept cannot be read.
  Result<void> start();
  // Error: VIR_ERR_SYSTEM_ERROR.
  Result<void> listen(const std::filesystem::path& path, std::filesystem::perms mode);

  // The end, step by step: no more clients; no more requests, and those under way are waited for; the connections end;
  // what is to be kept is written and the thread ends, once nothing of the core runs any more; and what was suspended
  // on it goes.
  void stop_accepting() { door_.stop_accepting(); }
  bool drain(Deadline deadline);
  void close() { door_.close(); }
  void end();
  void stop() {
    thread_.end();
    journal_workers_.stop();
    thread_.stop();
  }

  // Any thread.
  std::vector<doors::http::Counter> counters() const;

 private:
  doors::xenstore::Services services(TreeJournal::Mode mode);
  Result<void> restore();
  asio::awaitable<void> be_modest();
  void follow();
  void bury();
  void ask(tree::DomainId id, const TreeGuests::Guest& guest, presence::Request request, std::string word);
  static asio::awaitable<void> carry_out(TreeService* self, Gate::Pass pass, tree::DomainId id, core::DomainRef ref,
                                         presence::Request request, std::string word);
  void note_figures();

  core::Host& host_;
  Gate requests_;
  // Of the store, for other threads.
  std::atomic<std::uint64_t> nodes_{0}, bytes_{0}, commits_{0};
  IoThread thread_{"tree"};
  tree::Store store_;
  Workers journal_workers_{"tree-journal", 1};
  const TreeJournal::Mode mode_;
  const std::unique_ptr<ports::TreeStore> kept_;
  std::optional<TreeJournal> journal_;  // none: nothing is kept
  TreeGuests guests_;
  doors::xenstore::Door door_;
};

}  // namespace vireo::daemon
