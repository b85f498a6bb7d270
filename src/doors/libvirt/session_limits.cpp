// A session's bounds: when reading pauses, what is accounted for, and which clients are dropped because they do not
// read, do not answer, or do not go on with what they began.
#include "base/log.hpp"
#include "doors/libvirt/session.hpp"

namespace vireo::doors::libvirt {

Counter* Session::must_pause() {
  auto& counters = common_->counters;
  if (closed_) return nullptr;
  if (running_.size() >= limits_.calls_in_flight || running_bytes_ >= limits_.call_bytes) return &counters.pauses_calls;
  if (!has_room()) return &counters.pauses_unsent;
  std::size_t queued = 0;
  for (const auto& stream : streams_) queued += stream->queued_bytes();
  return queued >= limits_.stream_queue_bytes ? &counters.pauses_streams : nullptr;
}

bool Session::account() {
  const auto held = closed_ ? 0 : unsent_bytes_ + read_bytes_ + running_bytes_;
  auto& all = common_->held;
  if (held < accounted_bytes_) {
    all.remove(accounted_bytes_ - held);
  } else if (held > accounted_bytes_) {
    all.add(held - accounted_bytes_);
    if (all.total() > limits_.held_bytes && held > limits_.held_bytes / std::max<std::size_t>(1, common_->clients)) {
      accounted_bytes_ = held;
      drop(common_->counters.clients_dropped_memory, "all clients together hold too much, and it holds most");
      return false;
    }
  }
  accounted_bytes_ = held;
  return true;
}

void Session::drop(Counter& counter, std::string_view why) {
  if (closed_) return;
  counter.add();
  if (auto more = common_->drops.turn())
    log::warn("a client was dropped (pid {}, uid {}): {}{}", peer_.pid, peer_.uid, why, *more);
  shut();
}

asio::awaitable<void> Session::watch_loop(std::shared_ptr<Session> self) {
  auto& counters = self->common_->counters;
  while (!self->closed_) {
    boost::system::error_code woken;
    self->watch_timer_.expires_after(self->limits_.progress_timeout / 4);
    co_await self->watch_timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (self->closed_) co_return;
    const auto late = SteadyClock::now() - self->limits_.progress_timeout;
    if (!self->opened_ && self->began_ < late)
      self->drop(counters.clients_dropped_silent, "it never opened its connection");
    else if (self->in_frame_ && !self->paused_ && self->frame_progress_ < late)
      self->drop(counters.clients_dropped_silent, "it does not send the rest of its message");
    else if (self->waiting_to_write_ && self->write_progress_ < late)
      self->drop(counters.clients_dropped_not_reading, "it does not read");
  }
}

asio::awaitable<void> Session::keepalive_loop(std::shared_ptr<Session> self) {
  while (!self->closed_) {
    boost::system::error_code woken;
    self->keepalive_timer_.expires_after(self->limits_.keepalive_interval);
    co_await self->keepalive_timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (self->closed_) co_return;
    // While reading pauses, silence says nothing about the client.
    if (std::exchange(self->heard_, false) || self->paused_) {
      self->pings_unanswered_ = 0;
      continue;
    }
    if (self->pings_unanswered_ >= self->limits_.keepalive_count) {
      self->drop(self->common_->counters.clients_dropped_keepalive, "it answers no keepalive messages");
      co_return;
    }
    ++self->pings_unanswered_;
    self->write(make_frame({.program = proc::keepalive_program,
                            .version = protocol_version,
                            .procedure = static_cast<std::int32_t>(proc::Keepalive::ping),
                            .type = Type::message},
                           {}));
  }
}

}  // namespace vireo::doors::libvirt
