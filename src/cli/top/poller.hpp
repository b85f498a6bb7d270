// Asks vireod again and again, on a thread of its own, so that the screen answers keys whatever the daemon does.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "cli/daemon.hpp"
#include "cli/top/figures.hpp"

namespace vireo::cli::top {

// One question.
Result<Moment> ask_moment(const Where& where);

class Poller {
 public:
  Poller(Where where, std::chrono::milliseconds delay);
  // Waits for nothing: a question under way, whose daemon may hang, is left to itself.
  ~Poller();

  // Readable when there is something to take.
  int descriptor() const { return state_->news.get(); }
  struct News {
    std::optional<Moment> moment;
    std::string trouble;  // why there is none; empty: all is well
  };
  std::optional<News> take();

  void set_delay(std::chrono::milliseconds delay);

 private:
  struct State {
    State(Where w, std::chrono::milliseconds d);
    const Where where;
    const Fd news;
    std::mutex mutex;
    std::condition_variable changed;
    std::chrono::milliseconds delay;
    bool over = false;
    std::optional<News> waiting;
  };
  static void run(const std::shared_ptr<State>& state);

  const std::shared_ptr<State> state_;
};

}  // namespace vireo::cli::top
