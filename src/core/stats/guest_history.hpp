// A guest's history: it belongs to the guest, goes on over its lives, and goes with it. Core thread only; whoever wants
// to read takes a copy of what it holds.
#pragma once

#include "core/domain.hpp"
#include "core/stats/history.hpp"
#include "core/stats/rates.hpp"

namespace vireo::core {

class Host;

class GuestHistory {
 public:
  // Moments do not decrease.
  void add(const model::GuestSample& sample, const model::DomainDef& live, SteadyClock::time_point now,
           std::chrono::milliseconds period);
  const History& history() const { return history_; }
  // What it takes of the daemon's memory.
  std::size_t bytes() const { return sizeof *this - sizeof history_ + history_.bytes(); }

 private:
  Rates rates_;
  History history_;
};

static_assert(sizeof(GuestHistory) < 5'000, "what is not compressed stays small");

// Puts a running guest's last sample into its history, if the host keeps any. What the sampler calls after each turn.
void remember(Host& host, const DomainPtr& domain);

// The steady clock as histories have it.
std::int64_t history_ms(SteadyClock::time_point at);

}  // namespace vireo::core
