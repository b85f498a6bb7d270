// Accepting connections of a stream protocol, one after the other, until told to stop: what listeners at a path and at
// an address have in common. Everything happens on the executor given, but for stop(), which any thread may call.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.hpp"

namespace vireo {

template <class P>
class Listener : public std::enable_shared_from_this<Listener<P>> {
 public:
  using Protocol = P;
  // Which executor the next connection belongs to, and what is done with it. Called on the listener's executor.
  using Next = std::function<asio::any_io_executor()>;
  using Accepted = std::function<void(typename Protocol::socket)>;
  // Told of every failure to accept; the listener rests a moment and goes on.
  using Failed = std::function<void(const std::string& why)>;

  virtual ~Listener() = default;

  // Begins to accept, until stop().
  void accept(Next next, Accepted accepted, Failed failed) {
    asio::co_spawn(acceptor_.get_executor(),
                   accept_loop(this->shared_from_this(), std::move(next), std::move(accepted), std::move(failed)),
                   asio::detached);
  }
  // Any thread. Accepts nothing more.
  virtual void stop() {
    asio::post(acceptor_.get_executor(), [self = this->shared_from_this()] {
      self->stopped_ = true;
      boost::system::error_code ignored;
      self->acceptor_.close(ignored);
      self->rest_.cancel();
    });
  }

 protected:
  explicit Listener(const asio::any_io_executor& executor) : acceptor_(executor), rest_(executor) {}

  typename Protocol::acceptor acceptor_;

 private:
  // How long accepting rests when the process is out of descriptors.
  static constexpr std::chrono::milliseconds accept_rest{100};

  static asio::awaitable<void> accept_loop(std::shared_ptr<Listener> self, Next next, Accepted accepted,
                                           Failed failed) {
    while (!self->stopped_) {
      boost::system::error_code error;
      auto socket = co_await self->acceptor_.async_accept(next(), asio::redirect_error(asio::use_awaitable, error));
      if (self->stopped_) co_return;
      if (!error) {
        accepted(std::move(socket));
        continue;
      }
      failed(error.message());
      boost::system::error_code woken;
      self->rest_.expires_after(accept_rest);
      co_await self->rest_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
  }

  asio::steady_timer rest_;
  bool stopped_ = false;  // on the executor
};

}  // namespace vireo
