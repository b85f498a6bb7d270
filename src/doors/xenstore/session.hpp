// A client's socket: reads what is there, has all of it answered, sends the answers at once, and lets others have their
// turn. No coroutine and no memory for a request; who says nothing holds no buffer. Everything on the door's executor.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "doors/xenstore/client.hpp"

namespace vireo::doors::xenstore {

class Session;

// What the sessions of one door share.
class Sessions : public std::enable_shared_from_this<Sessions> {
 public:
  Sessions(asio::any_io_executor on, tree::Store& store, Services services, DoorLimits limits)
      : executor(std::move(on)), common(store, std::move(services), limits) {}

  const asio::any_io_executor executor;
  Common common;
  Buffer input;          // lent to whose turn it is
  bool in_turn = false;  // somebody's turn it is: flush() and tidy() come when it ends

  // The store's listener.
  void announce(const tree::Commit& commit);
  std::uint64_t commits() const { return commits_; }
  // Something waits to be read by its client.
  void wake(std::shared_ptr<Session> session);
  // Sends what is for the clients that were woken: for some of them now, the rest a few at a time.
  void flush();
  // `session` reads on once the announcement with that number is told to everybody.
  void hold_back(std::weak_ptr<Session> session, std::uint64_t announcement);
  // Frees what the tree has let go of: a little now, the rest a little at a time.
  void tidy();

 private:
  void flush_later();
  void tidy_later();
  void go_on_telling();
  void tell_later();

  std::deque<std::shared_ptr<Session>> woken_;
  std::deque<std::pair<std::uint64_t, std::weak_ptr<Session>>> held_back_;  // in the order of the numbers
  std::uint64_t commits_ = 0;                                               // that the store has told of
  bool flushing_ = false, telling_ = false, tidying_ = false;               // a turn of that kind is to come
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  using Socket = asio::local::stream_protocol::socket;
  using Ended = std::function<void(const std::shared_ptr<Session>&)>;

  Session(std::shared_ptr<Sessions> all, Socket socket, tree::DomainId domain);

  // Begins to read. `ended` is called once, when the connection is over.
  void start(Ended ended);
  void close();
  Client& client() { return *client_; }
  // Sends what waits, as far as the client takes it.
  void flush();
  // What its requests caused is told to everybody.
  void let_go_on();

 private:
  void wake();
  void turn();
  void turn_later();
  void settle();
  void read_on();
  void wait_to_read();
  void wait_to_write();
  // False: the connection is over.
  bool receive();
  void end_as(Client::Over why);

  const std::shared_ptr<Sessions> all_;
  Socket socket_;
  std::unique_ptr<Client> client_;
  Ended ended_;
  Buffer input_;  // what was received and is not answered yet
  bool open_ = true;
  bool woken_ = false;    // in the list of those to be flushed
  bool more_ = false;     // the socket has more to read
  bool reading_ = false;  // waits for the socket, or for its next turn
  bool writing_ = false;  // waits for the socket
  bool paused_ = false;
  bool held_back_ = false;  // others are still told of what its requests did
  bool settling_ = false;   // its replies wait until what they say is durable
};

}  // namespace vireo::doors::xenstore
