// An event loop and the one thread that runs it: the core, or a door. The thread begins with start() and ends with
// stop(), which also destroys the coroutines that are still suspended, while all that they refer to exists; timers and
// sockets of the loop may be destroyed afterwards, until the IoThread itself goes.
#pragma once

#include <pthread.h>

#include <string>
#include <thread>

namespace vireo {

class IoThread {
 public:
  // `name` is what tools such as top show for the thread; at most 15 characters.
  explicit IoThread(std::string name) : name_(std::move(name)), work_(asio::make_work_guard(context_)) {}
  ~IoThread() { stop(); }

  asio::any_io_executor executor() { return context_.get_executor(); }

  void start() {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), name_.c_str());
      context_.run();
    });
  }

  void stop() {
    end();
    context_.destroy_suspended();
  }
  // Ends the thread once it has done what it was given until now; what is suspended stays so.
  void end() {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] { context_.stop(); });
    thread_.join();
  }

 private:
  struct Context : asio::io_context {
    Context() : asio::io_context(1) {}
    void destroy_suspended() { shutdown(); }
  };

  std::string name_;
  Context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::thread thread_;
};

}  // namespace vireo
