// What all connections of one door share: the gate that their calls pass, the counters, and the account of what they
// hold. Any thread.
#pragma once

#include "base/gate.hpp"
#include "base/log_limit.hpp"
#include "doors/libvirt/counters.hpp"
#include "doors/libvirt/latencies.hpp"
#include "doors/libvirt/limits.hpp"

namespace vireo::doors::libvirt {

struct Common {
  Gate gate;
  Counters counters;
  Latencies latencies;
  HeldBytes held;
  std::atomic<std::size_t> clients{0};  // connected now
  LogLimit refusals, drops;
};

}  // namespace vireo::doors::libvirt
