// The whole answer to GET /metrics. It reads what others publish and count, and waits for nobody. For workers: with
// many guests it takes long.
#pragma once

#include "doors/http/metrics/text.hpp"
#include "doors/http/services.hpp"

namespace vireo::doors::http {

std::string render_metrics(const Services& services, Format format);

// What there is to tell of the guests of a version alone; `limit`: the age beyond which their figures are stale.
std::string render_guests(const model::HostVersion& version, SteadyClock::duration limit, Format format);

// The daemon's counters (DaemonFacts) under their families; what has none goes to a family that takes all.
void write_counters(const std::vector<Counter>& counters, MetricsText& out);

// Every family of the daemon and the host, for the tests that look at all of them.
std::vector<Family> daemon_families();

}  // namespace vireo::doors::http
