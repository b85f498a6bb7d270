// Watches for the signs by which guests say that they are up: a text on a console, a first packet on the network. QEMU
// copies either into a file of the guest's runtime folder; one thread of its own, asleep until something is written,
// reads what is new there. Neither the files nor what is remembered of them grow: what was read is taken out of the
// file again. Only guests that ask for it are watched (<vireo:up/> in their metadata).
//
// May be called on any one thread; `found` is called on the executor that is given with it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/io_thread.hpp"
#include "qemu/text_search.hpp"

namespace vireo::qemu {

struct SoughtSign {
  std::string path;        // of the file, in a folder that is the daemon's alone
  std::string text;        // empty: anything
  std::uint64_t from = 0;  // bytes at the file's beginning that do not count
  bool fresh = false;      // nobody can have written there yet
};

class UpWatch {
 public:
  // `long_since`: the sign was there already when it was to be watched for, so nobody knows when it came.
  using Found = std::function<void(bool long_since)>;
  // Ends one watch when it is destroyed; may outlive the UpWatch's thread, not the UpWatch.
  using Ticket = std::shared_ptr<void>;

  UpWatch();
  UpWatch(const UpWatch&) = delete;
  UpWatch& operator=(const UpWatch&) = delete;
  ~UpWatch();

  // Calls `found` once, when the sign is there. Where that file cannot be watched the log says why, and `found` is
  // never called.
  Ticket watch(SoughtSign sign, asio::any_io_executor executor, Found found);
  // Ends the thread; nobody is called any more. To be done before the executors of those who watch go.
  void stop();

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace vireo::qemu
