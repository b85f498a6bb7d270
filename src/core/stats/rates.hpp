// From samples to rows of a history: what is counted upwards becomes a rate since the sample before, what is a level
// stays one. A value is there only if the part of the sample that it is drawn from is new: what a monitor did not tell
// in time is not told by repeating what it said before. Pure.
#pragma once

#include "core/stats/history_series.hpp"
#include "model/definition.hpp"
#include "model/stats.hpp"

namespace vireo::core {

// Rates over more than so many periods are none of this moment.
inline constexpr int kMostPeriods = 3;

class Rates {
 public:
  // Of a sample that came after the last one; `live`: what runs. Counters that went back, belong to another life or to
  // another number of devices begin anew, without a rate.
  Row next(const model::GuestSample& sample, const model::DomainDef& live, SteadyClock::duration period);

 private:
  struct HostCounts {
    std::uint64_t cpu_ns = 0, delay_ns = 0;
    std::uint64_t rx_bytes = 0, tx_bytes = 0, rx_packets = 0, tx_packets = 0;
    std::uint64_t cpu_stall_us = 0, memory_stall_us = 0, io_stall_us = 0;
    std::uint32_t vcpus = 0, nets = 0;
  };
  struct DiskCounts {
    std::uint64_t reads = 0, writes = 0, read_bytes = 0, written_bytes = 0, read_ns = 0, write_ns = 0;
    std::uint64_t flushes = 0, failures = 0;
    std::uint32_t disks = 0;
  };
  template <class Counts>
  struct Last {
    Counts counts;
    SteadyClock::time_point at;  // the epoch: none
  };
  static HostCounts counts_of(const model::HostFigures& host);
  static DiskCounts counts_of(const model::BlockCounts& block);
  void host_rates(Row& row, const model::HostFigures& host, const HostCounts& before, const HostCounts& now,
                  SteadyClock::duration since) const;
  void disk_rates(Row& row, const DiskCounts& before, const DiskCounts& now, SteadyClock::duration since) const;

  int life_ = -1;
  Last<HostCounts> host_;
  Last<DiskCounts> disks_;
  SteadyClock::time_point balloon_at_, answered_at_;
};

}  // namespace vireo::core
