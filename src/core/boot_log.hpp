// Keeps what there is to know of starts as a whole: which of them make up the last storm, and the traces of the last
// launches. Only the core thread writes; anybody reads history(), which is a value that never changes, without a lock.
// Every note costs one new version of it, in O(log n).
#pragma once

#include <optional>

#include "base/clock.hpp"
#include "base/published.hpp"
#include "model/boot_times.hpp"

namespace vireo::core {

// One start while it is being watched: what was noted of it so far, and since when its times count.
struct Boot {
  std::uint64_t number = 0;  // 0: of an earlier daemon, in no storm of this one
  SteadyClock::time_point began;
  model::BootTimesPtr times;  // null: nothing is known
  bool has_run = false;       // at some moment, which times->running_us tells if it is known
};

class BootLog {
 public:
  // A start that is asked for later than this after the end of the last belongs to another storm. A start ends when its
  // call is answered, whether the guest is up by then or not.
  static constexpr std::chrono::seconds storm_gap{10};
  // A storm that never ends would grow for ever: the next start begins another.
  static constexpr std::size_t largest_storm = 16'384;

  const Published<model::LaunchHistory>& history() const { return history_; }

  // A start that was asked for at `began` goes to work. Ended by succeeded() or failed().
  Boot begin(model::BootTimes first, SteadyClock::time_point began);
  // Takes up what is known of it by now.
  void note(Boot& boot, model::BootTimes times);
  void succeeded(model::LaunchTracePtr trace);
  // `phase`: in which it failed.
  void failed(Boot& boot, const std::string& phase);

 private:
  void publish(model::LaunchHistory next);

  Published<model::LaunchHistory> history_{std::make_shared<const model::LaunchHistory>()};
  std::uint64_t last_number_ = 0, first_of_storm_ = 0;
  SteadyClock::time_point storm_began_;
  std::optional<SteadyClock::time_point> last_end_;
};

}  // namespace vireo::core
