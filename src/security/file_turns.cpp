// Tickets: the lowest of a file's queue has the turn.
#include "security/file_turns.hpp"

namespace vireo::security {

Result<FileTurns::Turn> FileTurns::take(std::uint64_t device, std::uint64_t inode, const std::string& path,
                                        Deadline deadline, std::source_location where) {
  const Key key{device, inode};
  CountedMutex::Hold hold(mutex_);
  auto& kept = queues_[key];
  if (!kept) kept = std::make_shared<Queue>();
  const auto queue = kept;
  const auto ticket = queue->next_ticket++;
  queue->waiting.insert(ticket);
  const auto mine = [&] { return *queue->waiting.begin() == ticket; };
  if (mine()) return Turn(this, key, ticket);
  const auto began = SteadyClock::now();
  // Releases the mutex while it waits, so that nothing is held meanwhile.
  const bool came = queue->moved.wait_until(hold, std::chrono::steady_clock::now() + (deadline.time() - began), mine);
  WaitSite::at("file", "labels", where).add(SteadyClock::now() - began, "another guest's labels");
  if (came) return Turn(this, key, ticket);
  queue->waiting.erase(ticket);
  return fail(VIR_ERR_OPERATION_TIMEOUT, "another guest's start or end has been busy with '" + path + "' for too long");
}

void FileTurns::leave(Key key, std::uint64_t ticket) {
  const CountedMutex::Hold hold(mutex_);
  const auto found = queues_.find(key);
  found->second->waiting.erase(ticket);
  found->second->moved.notify_all();
  if (found->second->waiting.empty()) queues_.erase(found);
}

std::size_t FileTurns::files() const {
  const CountedMutex::Hold hold(mutex_);
  return queues_.size();
}

std::size_t FileTurns::asking(std::uint64_t device, std::uint64_t inode) const {
  const CountedMutex::Hold hold(mutex_);
  const auto found = queues_.find({device, inode});
  return found == queues_.end() ? 0 : found->second->waiting.size();
}

FileTurns& FileTurns::of_process() {
  static FileTurns turns;
  return turns;
}

}  // namespace vireo::security
