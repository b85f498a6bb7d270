// One life of a simulated daemon: a core with everything that it works on, on an event loop without threads. What
// outlives it (rows, processes, labels) is handed in. Destroying it is SIGKILL: coroutines end where they stand.
#pragma once

#include <set>

#include "core/run/run.hpp"
#include "core/verbs/verbs.hpp"
#include "security/mcs.hpp"
#include "sim/sim_hypervisor.hpp"
#include "sim/sim_meters.hpp"
#include "tests/core/fake_facts.hpp"
#include "tests/histories/durable.hpp"

namespace vireo::tests {

// What a daemon leaves on the host when it goes.
struct Surroundings {
  Rows rows;
  std::shared_ptr<sim::World> world = std::make_shared<sim::World>();
  bool may_pause = false;  // somebody pauses guests, or monitors fail: a guest that could not be let run stays paused
  std::set<int> labelled;  // ids of the lives whose files are labelled
  // Of guests that run, or are being started. All want the same few, so that they have to make way for each other.
  security::McsTable categories{[](unsigned) { return 1U; }};
};

// How often things go wrong: once in so many times; 0: never.
struct Trouble {
  int commit = 0, commit_lost = 0, spawn = 0, handshake = 0, command = 0, adopt = 0, label = 0, folder = 0;
};

// Labels take virtual time, some of them long, and may fail; each guest has categories that no other one has.
class SlowLabeler final : public ports::Labeler {
 public:
  SlowLabeler(Surroundings& around, Dice& dice, int fails_one_in)
      : around_(around), dice_(dice), fails_one_in_(fails_one_in) {}
  Result<ports::LabelClaim> choose(model::DomainDef& live) override;
  ports::LabelClaim inherit(const model::DomainDef& live) override;
  asio::awaitable<Result<void>> label(model::DomainDefPtr live, Deadline deadline) override;
  asio::awaitable<void> restore(model::DomainDefPtr live, Deadline deadline) override;

 private:
  Surroundings& around_;
  Dice& dice_;
  const int fails_one_in_;
};

class Life {
 public:
  Life(VirtualTime& time, Surroundings& surroundings, Dice& dice, const Trouble& trouble);
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;
  ~Life();

  // Runs one thing that is ready: false if nothing is.
  bool turn() { return context_.poll_one() > 0; }
  asio::any_io_executor executor() { return context_.get_executor(); }
  // SIGTERM, once no call is inside: what was given to the disk is written. The destructor ends the rest.
  void finish() { store_.finish(); }
  // Whether what the last life left has been taken over, so that clients may come in.
  bool ready() const { return ready_; }
  // Whether starting guests with the host is over, or was not due.
  bool autostarted() const { return autostarted_; }

 private:
  struct Context : asio::io_context {
    Context() : asio::io_context(1) {}
    void destroy_suspended() { shutdown(); }
  };

  VirtualTime& time_;
  Context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  FakeFacts facts_;
  DurableStore store_;
  SlowLabeler labeler_;
  sim::SimMeters meters_;
  Workers files_, images_;
  std::shared_ptr<sim::Script> script_ = std::make_shared<sim::Script>();
  sim::SimHypervisor hypervisor_;
  bool ready_ = false, autostarted_ = false;

 public:
  core::Host host;
};

}  // namespace vireo::tests
