// What a client sees of a guest's figures: the typed parameters of virConnectGetAllDomainStats, with libvirt 9.0's
// names, types, units and order (libvirt-domain.c, virConnectGetAllDomainStats). Pure.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "model/domain_view.hpp"
#include "model/stats.hpp"

namespace vireo::core {

// A typed parameter; the alternatives are those of virTypedParameterType, in its order.
struct Param {
  std::string name;
  std::variant<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, double, bool, std::string> value;

  bool operator==(const Param&) const = default;
};

struct RecordOptions {
  unsigned groups = 0;   // virDomainStatsTypes
  bool backing = false;  // each image behind a disk's own as an entry of its own
  // Figures that were taken earlier are stale.
  SteadyClock::time_point fresh_since;
  SteadyClock::time_point now;
};

// The sizes of the images of a guest that does not run, by the position of their disks; what is not known is absent.
using SizesOfDisks = std::vector<std::optional<model::ImageSizes>>;

// The record of a guest, whose `sample` may be null or of another life, which is the same. Parts that were never
// sampled are left out. Two parameters of Vireo's own come last: vireo.age_ms (unsigned long long), the age of the
// oldest figure that is in the record, and vireo.stale (boolean), whether one is older than `fresh_since` or missing.
// Whatever QEMU says, the record is one that a client can read: names are shorter than the protocol's bound.
std::vector<Param> record_of(const model::DomainView& guest, const model::GuestSample* sample,
                             const RecordOptions& options, const SizesOfDisks& at_rest = {});

}  // namespace vireo::core
