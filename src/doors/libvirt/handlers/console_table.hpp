// Which consoles have a client now. Two clients on one terminal would each get half of what the guest writes, so the
// second is refused, or takes the console over if it says so. Any thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/counted_mutex.hpp"
#include "doors/libvirt/stream.hpp"

namespace vireo::doors::libvirt {

class ConsoleTable {
 public:
  // Makes `stream` the client of `path`. Error: VIR_ERR_OPERATION_FAILED when another stream is; with `force` that one
  // is handed back in `displaced` instead, for the caller to end.
  Result<void> take(const std::string& path, const std::shared_ptr<Stream>& stream, bool force,
                    std::shared_ptr<Stream>& displaced) {
    const CountedMutex::Hold hold(mutex_);
    auto& holder = holders_[path];
    displaced = holder.lock();
    if (displaced && !force) return fail(VIR_ERR_OPERATION_FAILED, "Active console session exists for this domain");
    holder = stream;
    return {};
  }

  // Called when the stream is done with; a console that was taken over stays with its new client.
  void release(const std::string& path, const std::shared_ptr<Stream>& stream) {
    const CountedMutex::Hold hold(mutex_);
    if (const auto found = holders_.find(path); found != holders_.end() && found->second.lock() == stream)
      holders_.erase(found);
  }

 private:
  CountedMutex mutex_{"consoles"};  // guards holders_
  std::map<std::string, std::weak_ptr<Stream>> holders_;
};

}  // namespace vireo::doors::libvirt
