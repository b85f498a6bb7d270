// What the steps of a guest's launch hand to each other, and the steps themselves. Each changes something, says how it
// is taken back beside that, and knows nothing of the others; their order is bring_up.cpp's.
#pragma once

#include "core/run/run.hpp"
#include "core/unwind.hpp"

namespace vireo::core {

using Done = asio::awaitable<Result<void>>;

struct Launch {
  Host& host;
  DomainPtr domain;
  StartOptions options;
  std::shared_ptr<Launching> launching;
  ports::LaunchRecorderPtr recorder;
  Deadline deadline;

  std::shared_ptr<model::DomainDef> live;
  std::shared_ptr<Run> run = std::make_shared<Run>();
  ports::RunRecord record;
  Admission::Place place;
  Unwind undo;
  std::optional<Error> remains;  // why its process could not be ended

  std::string folder() const { return runtime_folder(host, run->id); }
};

// By its caller, before it was admitted.
inline bool abandoned(const Launch& launch) { return launch.launching->caller_gone && !launch.launching->admitted; }

inline std::unexpected<Error> given_up(const Launch& launch) {
  return fail(VIR_ERR_OPERATION_FAILED,
              "domain '" + launch.domain->name + "' was destroyed while it was being started");
}

// In the order of a launch.
namespace launch_steps {
Done claim(Launch& l);           // id, labels' categories, ports, images
Done record_intent(Launch& l);   // durable, before anything outside is changed
Done make_files(Launch& l);      // the runtime folder
Done label(Launch& l);           // its files become the guest's
Done admit(Launch& l);           // waits for a place among the launches under way
Done start_process(Launch& l);   // QEMU runs, with its vCPUs stopped
Done record_process(Launch& l);  // durable, before its vCPUs run
Done let_run(Launch& l);
Done publish(Launch& l);
}  // namespace launch_steps

}  // namespace vireo::core
