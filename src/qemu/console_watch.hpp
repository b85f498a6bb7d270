// Watches what guests print on their consoles, for the one text that says that a guest is up. QEMU copies a console's
// output into a file of the guest's runtime folder; one thread of its own, asleep until somebody prints, reads what is
// new there. Neither the files nor what is remembered of them grow: what was read is taken out of the file again. Only
// guests that ask for it are watched (<vireo:up console="…"/>).
//
// May be called on any one thread; `found` is called on the executor that is given with it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/io_thread.hpp"
#include "qemu/text_search.hpp"

namespace vireo::qemu {

class ConsoleWatch {
 public:
  // `long_since`: the text was in the file already when it was to be watched, so nobody knows when it came.
  using Found = std::function<void(bool long_since)>;
  // Ends one watch when it is destroyed; may outlive the ConsoleWatch's thread, not the ConsoleWatch.
  using Ticket = std::shared_ptr<void>;

  ConsoleWatch();
  ConsoleWatch(const ConsoleWatch&) = delete;
  ConsoleWatch& operator=(const ConsoleWatch&) = delete;
  ~ConsoleWatch();

  // Calls `found` once, when the file at `path` holds `text`. `fresh`: nobody can have written to it yet. Where that
  // file cannot be watched the log says why, and `found` is never called.
  Ticket watch(std::string path, std::string text, bool fresh, asio::any_io_executor executor, Found found);
  // Ends the thread; nobody is called any more. To be done before the executors of those who watch go.
  void stop();

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace vireo::qemu
