// What a client sees of a guest's figures: the typed parameters of virConnectGetAllDomainStats, with libvirt 9.0's
// names, types, units and order (libvirt-domain.c, virConnectGetAllDomainStats). Pure.
#pragma once

#include <vector>

#include "core/stats/block_record.hpp"
#include "model/domain_view.hpp"

namespace vireo::core {

struct RecordOptions {
  unsigned groups = 0;   // virDomainStatsTypes
  bool backing = false;  // each image behind a disk's own as an entry of its own
  // Figures that were taken earlier are stale.
  SteadyClock::time_point fresh_since;
  SteadyClock::time_point now;
};

// The record of a guest, whose `sample` may be null or of another life, which is the same. Parts that were never
// sampled are left out. Two parameters of Vireo's own come last: vireo.age_ms (unsigned long long), the age of the
// oldest figure that is in the record, and vireo.stale (boolean), whether one is older than `fresh_since` or missing.
// Whatever QEMU says, the record is one that a client can read: names are shorter than the protocol's bound.
std::vector<Param> record_of(const model::DomainView& guest, const model::GuestSample* sample,
                             const RecordOptions& options, const SizesOfDisks& at_rest = {});

}  // namespace vireo::core
