// What a simulated guest's process would use: figures that grow with the clock, so that rates can be drawn from them.
#pragma once

#include "ports/meter.hpp"

namespace vireo::sim {

class SimMeters final : public ports::Meters {
 public:
  std::shared_ptr<ports::GuestMeter> open(pid_t pid, model::DomainDefPtr live) const override;
};

}  // namespace vireo::sim
