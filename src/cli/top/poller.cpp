// The asking thread.
#include "cli/top/poller.hpp"

#include <signal.h>
#include <sys/eventfd.h>

#include <thread>

namespace vireo::cli::top {

Result<Moment> ask_moment(const Where& where) {
  auto answer = ask_daemon(where, "GET", "/v1/top");
  if (!answer) return pass_on(answer);
  try {
    return read_moment(*answer);
  } catch (const std::exception& e) {
    return fail(VIR_ERR_SYSTEM_ERROR, std::string("cannot understand vireod's answer: ") + e.what());
  }
}

Poller::State::State(Where w, std::chrono::milliseconds d)
    : where(std::move(w)), news(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), delay(d) {}

Poller::Poller(Where where, std::chrono::milliseconds delay)
    : state_(std::make_shared<State>(std::move(where), delay)) {
  // Signals are the screen's: the thread inherits that they are blocked.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread(&Poller::run, state_).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Poller::~Poller() {
  const std::lock_guard lock(state_->mutex);
  state_->over = true;
  state_->changed.notify_all();
}

void Poller::run(const std::shared_ptr<State>& state) {
  bool has_rates = false;
  for (bool first = true;; first = false) {
    News news;
    if (auto moment = ask_moment(state->where))
      news.moment = std::move(*moment);
    else
      news.trouble = moment.error().detail;
    const bool good = news.moment.has_value();
    std::unique_lock lock(state->mutex);
    state->waiting = std::move(news);
    ::eventfd_write(state->news.get(), 1);
    const auto asked_with = state->delay;
    // Rates take two answers, and nobody should wait long for the first; nor for a daemon that comes back.
    auto delay = asked_with;
    if (!good || !has_rates) delay = std::min(delay, std::chrono::milliseconds(1100));
    has_rates = good && !first;
    state->changed.wait_for(lock, delay, [&] { return state->over || state->delay != asked_with; });
    if (state->over) return;
  }
}

std::optional<Poller::News> Poller::take() {
  eventfd_t count = 0;
  ::eventfd_read(state_->news.get(), &count);
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->waiting, std::nullopt);
}

void Poller::set_delay(std::chrono::milliseconds delay) {
  const std::lock_guard lock(state_->mutex);
  state_->delay = delay;
  state_->changed.notify_all();
}

}  // namespace vireo::cli::top
