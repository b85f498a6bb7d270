// Questions to one life of a guest for its figures. However many callers want them at once, its monitor has one
// question to answer at a time, and one more waits behind it with all that was wanted meanwhile: whoever asks gets
// figures that were taken after they asked, and a monitor that hangs holds one question, whose answer counts whenever
// it comes. What comes goes into the guest's pulse, where everybody reads it. Core thread only.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/wake.hpp"
#include "core/domain.hpp"
#include "ports/meter.hpp"

namespace vireo::core {

class Host;

// What one caller waits for: answers of any number of guests.
struct Gathering {
  explicit Gathering(const asio::any_io_executor& core) : done(core) {}
  Wake done;
  std::size_t missing = 0;

  void expect() { ++missing; }
  void arrived() {
    if (--missing == 0) done.fire();
  }
};
using GatheringPtr = std::shared_ptr<Gathering>;

class Asker : public std::enable_shared_from_this<Asker> {
 public:
  // `launched`: by this daemon, so that what nobody has begun yet needs no question.
  Asker(Host& host, const DomainPtr& domain, const std::shared_ptr<Run>& run, std::shared_ptr<ports::GuestMeter> meter,
        bool launched);

  // What must be asked of the monitor for these groups (virDomainStatsTypes) and is not known already.
  ports::MonitorQuestion needed(unsigned groups) const;
  // Asks; `gathering` hears of it when the answer is in the pulse, or there is none to come.
  void ask(const ports::MonitorQuestion& question, const GatheringPtr& gathering);
  // The life is over: nobody waits for its figures any more, and what still comes of them is dropped.
  void end();
  // It has not answered the last question yet, or refused and is not to be asked again so soon.
  bool is_late() const { return asking_ || SteadyClock::now() < next_sample_; }

  const std::shared_ptr<ports::GuestMeter>& meter() const { return meter_; }
  // The files whose sizes are worth looking at.
  std::vector<std::string> files() const;
  void take(model::HostFigures figures, SteadyClock::time_point at, ports::Look look);

  // The memory is being measured from now on, as a client wishes.
  void dirty_rate_begun(std::string mode);

 private:
  // Who waits, as long as they do: a monitor that hangs for days must not hold all who ever asked.
  using Waiting = std::vector<std::weak_ptr<Gathering>>;
  struct Round {
    ports::MonitorQuestion question;
    Waiting waiting;
  };
  static asio::awaitable<void> go_on(std::shared_ptr<Asker> self);
  static asio::awaitable<void> ask_monitor(std::shared_ptr<Asker> self, ports::MonitorQuestion question);
  static asio::awaitable<void> measure(std::shared_ptr<Asker> self);
  static void tell(const Waiting& waiting);
  void take(Result<ports::MonitorAnswer> answer, SteadyClock::time_point asked);
  bool tainted() const;
  // The sample as it is, to be changed and set.
  model::GuestSample sample() const;
  void set(model::GuestSample next);

  Host& host_;
  const std::weak_ptr<Domain> domain_;
  const std::weak_ptr<Run> run_;
  const std::shared_ptr<model::Pulse> pulse_;
  const int id_;
  const std::shared_ptr<ports::GuestMeter> meter_;
  std::optional<Round> next_;
  Waiting waiting_;      // for the answer to the question that is under way
  bool asking_ = false;  // there is one
  bool over_ = false;
  unsigned failures_in_a_row_ = 0;
  SteadyClock::time_point next_sample_;  // later and later while the monitor refuses
};

// Lets a life be measured from now on; its monitor may not be reached yet.
void begin_asking(Host& host, const DomainPtr& domain, const std::shared_ptr<Run>& run, pid_t pid, bool launched);

}  // namespace vireo::core
