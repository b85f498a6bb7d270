// A crowd that nobody manages: as many QEMUs with the very command line that a server gives its guests, spawned by as
// many threads, each of which waits for the monitor's first answer. What a server needs beyond this is its own.
#pragma once

#include "crowd.hpp"
#include "qemu_floor.hpp"

namespace vireo::bench {

// The command line of guest 0 of a crowd as a server starts it: taken from its running process. "fd={}" stands where
// the monitor's socket goes. Defines, starts and ends the guest there.
Result<std::vector<std::string>> command_line_at(const std::string& uri, CrowdPlan plan);

class BareCrowd final : public Crowd {
 public:
  // The name of guest 0 is replaced by each guest's own wherever the command line has it.
  BareCrowd(std::vector<std::string> command_line, CrowdPlan plan)
      : Crowd(std::move(plan)), command_line_(std::move(command_line)) {}
  ~BareCrowd() override { [[maybe_unused]] const auto best_effort = stop_all(); }

  Result<void> prepare(int clients) override;
  Result<void> start(int client, int guest) override;
  Result<void> stop_all() override;
  const std::vector<BareQemu>& qemus() const { return qemus_; }

 private:
  std::vector<std::string> command_line_;
  std::vector<BareQemu> qemus_;  // by number of the guest
};

}  // namespace vireo::bench
