// Bringing the samples of any number of guests up to date: all monitors are asked at once, the kernel is read by
// workers meanwhile, and the deadline holds for all of it together. What comes later goes into the samples all the
// same. Guests that do not run have no samples: the sizes of their images are read from the files each time, many at
// once, and none waits for another's file system.
#pragma once

#include <vector>

#include "core/host.hpp"
#include "core/stats/record.hpp"

namespace vireo::core {

// Everything that a client can ask for: virDomainStatsTypes of libvirt 9.0.
inline constexpr unsigned kAllStats = VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON |
                                      VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK |
                                      VIR_DOMAIN_STATS_PERF | VIR_DOMAIN_STATS_IOTHREAD | VIR_DOMAIN_STATS_MEMORY |
                                      VIR_DOMAIN_STATS_DIRTYRATE | VIR_DOMAIN_STATS_VM;

// True: these groups need nothing but the published version.
bool needs_no_sample(unsigned groups);

// Core thread. Those of `guests` that ran in another life are passed over. `spare_the_late`: who has not answered the
// last question is not waited for. Returns, by the position of the guest, what the files of guests that do not run
// tell; empty for all others, and where a file did not answer in time.
asio::awaitable<std::vector<SizesOfDisks>> refresh(Host& host, std::vector<model::DomainViewPtr> guests,
                                                   unsigned groups, Deadline deadline, bool spare_the_late = false);

}  // namespace vireo::core
