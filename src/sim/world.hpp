// What simulated guests are when nobody manages them: processes that live until they are ended, each found by the path
// of its monitor. A test that restarts a simulated daemon keeps the World, so that the next one finds what runs on and
// what an unfinished launch left. One thread only.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ports/hypervisor.hpp"

namespace vireo::sim {

struct Process {
  Process(Uuid u, int i, std::string path) : uuid(u), id(i), monitor_path(std::move(path)) {}

  const Uuid uuid;  // whose process, and which of its lives
  const int id;
  const std::string monitor_path;
  bool alive = true;
  bool has_run = false;
  bool running = false;                         // its vCPUs
  std::function<void(ports::GuestEvent)> tell;  // whoever manages it; empty: nobody

  void emit(ports::GuestEvent event) const {
    if (tell) tell(std::move(event));
  }
  void die(int signal) {
    if (!std::exchange(alive, false)) return;
    emit({.kind = ports::GuestEvent::Kind::Exited, .exit_signal = signal});
  }
};
using ProcessPtr = std::shared_ptr<Process>;

class World {
 public:
  ProcessPtr spawn(Uuid uuid, int id, std::string monitor_path) {
    forget_dead();
    auto process = std::make_shared<Process>(uuid, id, std::move(monitor_path));
    processes_.push_back(process);
    return process;
  }

  // Null: no process lives there.
  ProcessPtr find(const std::string& monitor_path) const {
    const auto found = std::ranges::find_if(
        processes_, [&](const ProcessPtr& p) { return p->alive && p->monitor_path == monitor_path; });
    return found == processes_.end() ? nullptr : *found;
  }

  // The living ones, in the order of their birth.
  const std::vector<ProcessPtr>& processes() {
    forget_dead();
    return processes_;
  }

 private:
  void forget_dead() {
    std::erase_if(processes_, [](const ProcessPtr& p) { return !p->alive; });
  }
  std::vector<ProcessPtr> processes_;
};

}  // namespace vireo::sim
