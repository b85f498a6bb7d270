// One connection, without its socket: bytes of requests go in, bytes of replies and events come out. It acts for a
// domain; who reaches the daemon's socket acts for domain 0. Its transactions and watches end with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "doors/xenstore/buffer.hpp"
#include "doors/xenstore/common.hpp"
#include "doors/xenstore/frame.hpp"
#include "doors/xenstore/waiting_events.hpp"
#include "tree/outcome.hpp"
#include "tree/path.hpp"
#include "tree/transaction.hpp"

namespace vireo::doors::xenstore {

struct Request {
  Header header;
  std::string_view payload;
  tree::Transaction* in = nullptr;  // the header's transaction
};

class Client {
 public:
  // `wake` is called when something waits to be read, or the client is over, for another reason than its own requests.
  Client(Common& common, tree::DomainId domain, std::function<void()> wake = {});
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // Answers the requests at the beginning of `received`, as many as are whole and as one turn allows; how many bytes
  // that were. None are while too much waits to be read.
  std::size_t take(std::string_view received);
  // Whether there is a request at the beginning that take() would look at.
  bool would_take(std::string_view received) const;

  // What waits to be read. sent() takes off what has been sent; if that is not all, the client is behind.
  std::string_view output() const { return output_.bytes(); }
  void sent(std::size_t bytes);
  bool paused() const { return output_.size() >= common_.limits.pause_bytes; }

  // Why the connection has to end once what waits has been tried to send; nothing is taken or told any more.
  enum class Over : std::uint8_t { no, sent_too_long, does_not_read, released };
  Over over() const { return over_; }
  void end(Over why);

  tree::DomainId domain() const { return domain_; }

  // A watch of its own has something to tell.
  void tell(const tree::Watch& watch, std::string_view path);

  // What follows is for the handlers of requests, which return 0 once they have replied, or an errno.

  Common& common() { return common_; }
  tree::Store& store() { return common_.store; }
  tree::Caller caller() const { return common_.domains.caller(domain_); }
  bool privileged() const { return domain_ == 0; }

  int reply(const Request& request, std::string_view payload);
  int reply_ok(const Request& request) { return reply(request, std::string_view("OK\0", 3)); }
  // A reply whose payload the caller writes where it is told; not longer than a payload may be.
  char* reply_of(const Request& request, std::size_t size);

  // Valid until the next one is asked for. EINVAL: it is none.
  tree::Outcome<tree::Path> path(std::string_view text);

  int begin_transaction(const Request& request);
  int end_transaction(const Request& request, bool commit);
  int add_watch(const Request& request, std::string_view path, std::string_view token,
                std::optional<std::uint32_t> depth);
  int remove_watch(const Request& request, std::string_view path, std::string_view token);
  // All watches and transactions.
  void reset();

  // What this connection holds: what waits, its watches, its transactions' logs. Bytes.
  std::size_t held() const { return output_.size() + waiting_.bytes() + watch_bytes_ + transaction_bytes_; }
  std::size_t transactions() const { return transactions_.size(); }
  std::size_t watches() const { return watch_count_; }
  std::size_t outstanding() const { return outstanding_; }

 private:
  void answer(const Header& header, std::string_view payload);
  void answer_error(const Header& header, int error);
  char* append(const Header& header);
  void send_event(std::string_view path, std::string_view token);
  // The absolute path of a watch, or a special name.
  tree::Outcome<std::string_view> watched(std::string_view text);
  bool has_room(std::size_t bytes) const;
  bool merged(std::string_view payload);
  void check_bounds();
  void account();

  Common& common_;
  const tree::DomainId domain_;
  const std::function<void()> wake_;
  const std::string home_;  // "/local/domain/3/": where its relative paths begin

  Buffer output_;
  std::size_t outstanding_ = 0;    // messages in it
  std::size_t rest_of_first_ = 0;  // bytes of the first, if some have been sent already
  std::uint64_t sent_ = 0;         // bytes, ever
  bool behind_ = false;            // the last attempt to send left something
  WaitingEvents waiting_;          // if it is
  bool in_turn_ = false;
  Over over_ = Over::no;

  std::unordered_map<std::uint32_t, std::unique_ptr<tree::Transaction>> transactions_;
  std::uint32_t next_transaction_ = 1;
  std::size_t transaction_bytes_ = 0;

  std::size_t watch_count_ = 0, watch_bytes_ = 0;

  std::size_t accounted_ = 0;
};

}  // namespace vireo::doors::xenstore
