// Turns: receive, answer, send.
#include "doors/xenstore/session.hpp"

#include <sys/socket.h>

#include <cerrno>

#include "base/log.hpp"

namespace vireo::doors::xenstore {
namespace {

constexpr std::size_t input_bytes = 64 * 1024;  // received at once
constexpr std::size_t small_input = 8 * 1024;   // a part of a message, kept until the rest comes
// Of the tree, and as many watches; freeing more between two turns would be felt by those who wait.
constexpr std::size_t pieces_at_once = 512;

}  // namespace

void Sessions::announce(const tree::Commit& commit) {
  ++commits_;
  common.announcements.of(commit);
  if (common.announcements.waiting()) tell_later();
  if (!in_turn) tidy_later();  // the daemon's own
}

void Sessions::wake(std::shared_ptr<Session> session) {
  woken_.push_back(std::move(session));
  if (!in_turn) flush_later();
}

void Sessions::flush() {
  // Sending ends some, and their end may wake others.
  for (auto left = common.limits.flushes_at_once; left > 0 && !woken_.empty(); --left) {
    const auto next = std::move(woken_.front());
    woken_.pop_front();
    next->flush();
  }
  if (!woken_.empty()) flush_later();
}

void Sessions::go_on_telling() {
  auto& announcements = common.announcements;
  in_turn = true;
  announcements.go_on();
  in_turn = false;
  if (announcements.waiting()) tell_later();
  flush();
  while (!held_back_.empty() && held_back_.front().first <= announcements.told()) {
    const auto next = held_back_.front().second.lock();
    held_back_.pop_front();
    if (next) next->let_go_on();
  }
  tidy();  // what was removed may have been held until all had heard of it
}

void Sessions::hold_back(std::weak_ptr<Session> session, std::uint64_t announcement) {
  held_back_.emplace_back(announcement, std::move(session));
}

void Sessions::tidy() {
  if (tidying_) return;
  const bool nodes = common.store.tidy(pieces_at_once), watches = common.watches.tidy(pieces_at_once);
  if (nodes || watches) tidy_later();
}

// Others' turns come in between.

void Sessions::flush_later() {
  if (std::exchange(flushing_, true)) return;
  asio::post(executor, [self = shared_from_this()] {
    self->flushing_ = false;
    self->flush();
  });
}

void Sessions::tell_later() {
  if (std::exchange(telling_, true)) return;
  asio::post(executor, [self = shared_from_this()] {
    self->telling_ = false;
    self->go_on_telling();
  });
}

void Sessions::tidy_later() {
  if (std::exchange(tidying_, true)) return;
  asio::post(executor, [self = shared_from_this()] {
    self->tidying_ = false;
    self->tidy();
  });
}

Session::Session(std::shared_ptr<Sessions> all, Socket socket, tree::DomainId domain)
    : all_(std::move(all)),
      socket_(std::move(socket)),
      client_(std::make_unique<Client>(all_->common, domain, [this] { wake(); })) {}

void Session::start(Ended ended) {
  ended_ = std::move(ended);
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  wait_to_read();
}

// Another client's request, or the daemon, has something for this one.
void Session::wake() {
  if (!open_ || std::exchange(woken_, true)) return;
  all_->wake(shared_from_this());
}

void Session::wait_to_read() {
  reading_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
    self->reading_ = false;
    if (error) return self->close();
    self->turn();
  });
}

void Session::turn_later() {
  reading_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->reading_ = false;
    self->turn();
  });
}

bool Session::receive() {
  if (input_.empty() && input_.capacity() < input_bytes) input_ = std::move(all_->input);
  char* const at = input_.room(input_bytes);
  const auto got = ::recv(socket_.native_handle(), at, input_bytes, MSG_DONTWAIT);
  if (got > 0) {
    input_.grow(static_cast<std::size_t>(got));
    more_ = static_cast<std::size_t>(got) == input_bytes;
    return true;
  }
  more_ = false;
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

void Session::turn() {
  if (!open_) return;
  if (!client_->would_take(input_.bytes()) && !receive()) return close();
  auto& announcements = all_->common.announcements;
  const auto commits = all_->commits(), announced = announcements.made();
  all_->in_turn = true;
  input_.drop(client_->take(input_.bytes()));
  all_->in_turn = false;
  if (announcements.made() != announced && announcements.waiting()) {
    held_back_ = true;
    all_->hold_back(weak_from_this(), announcements.made());
  }
  if (all_->commits() != commits && all_->common.services.settle) settle();
  flush();
  all_->flush();
  all_->tidy();
  if (!open_) return;
  if (input_.empty()) {
    if (all_->input.capacity() == 0) all_->input = std::move(input_);
    input_ = {};
  } else if (input_.size() <= small_input && input_.capacity() > 2 * small_input) {
    Buffer part;
    std::memcpy(part.room(input_.size()), input_.bytes().data(), input_.size());
    part.grow(input_.size());
    input_.drop(input_.size());
    if (all_->input.capacity() == 0) all_->input = std::move(input_);
    input_ = std::move(part);
  }
  read_on();
}

void Session::read_on() {
  if (!open_ || reading_ || settling_ || held_back_) return;
  if (client_->paused()) {
    if (!paused_) all_->common.counters.pauses.add();
    paused_ = true;
    return;  // flush() goes on once the client has read
  }
  paused_ = false;
  if (more_ || client_->would_take(input_.bytes())) return turn_later();
  wait_to_read();
}

void Session::let_go_on() {
  held_back_ = false;
  read_on();
}

void Session::settle() {
  settling_ = true;
  all_->common.services.settle([weak = weak_from_this(), executor = socket_.get_executor()] {
    asio::dispatch(executor, [weak] {
      const auto self = weak.lock();
      if (!self || !self->settling_) return;
      self->settling_ = false;
      self->flush();
      self->read_on();
    });
  });
}

void Session::flush() {
  woken_ = false;
  if (!open_ || settling_) return;
  if (!writing_) {
    const auto output = client_->output();
    if (!output.empty()) {
      const auto sent = ::send(socket_.native_handle(), output.data(), output.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return close();
      client_->sent(sent > 0 ? static_cast<std::size_t>(sent) : 0);
    }
  }
  if (client_->over() != Client::Over::no) return end_as(client_->over());
  if (!writing_ && !client_->output().empty()) wait_to_write();
}

void Session::wait_to_write() {
  writing_ = true;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const boost::system::error_code& error) {
    self->writing_ = false;
    if (error) return self->close();
    self->flush();
    if (self->paused_) self->read_on();
  });
}

void Session::end_as(Client::Over why) {
  auto& counters = all_->common.counters;
  std::string_view reason;
  switch (why) {
    case Client::Over::sent_too_long:
      counters.clients_dropped_oversize.add();
      reason = "it sent a message longer than one may be";
      break;
    case Client::Over::does_not_read:
      counters.clients_dropped_not_reading.add();
      reason = "it does not read what it is told";
      break;
    default:
      break;
  }
  if (!reason.empty())
    if (const auto more = all_->common.drops.turn()) {
      ucred peer{};
      socklen_t size = sizeof peer;
      ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
      log::warn("a client of the tree was dropped (pid {}, uid {}): {}; {} messages, {} bytes waited for it{}",
                peer.pid, peer.uid, reason, client_->outstanding(), client_->output().size(), *more);
    }
  close();
}

void Session::close() {
  if (!open_) return;
  open_ = false;
  boost::system::error_code ignored;
  socket_.close(ignored);
  client_.reset();
  input_ = {};
  if (auto ended = std::exchange(ended_, {})) ended(shared_from_this());
}

}  // namespace vireo::doors::xenstore
