// What is told of guests: from the published version, the last sample of each and its lane's gauge, without asking a
// monitor or entering a lane. Any thread; with many guests it takes long, so a worker it should be.
#pragma once

#include <optional>

#include "core/host.hpp"
#include "doors/http/metrics/text.hpp"

namespace vireo::doors::http {

struct DiskRow {
  std::string labels;  // domain, target_device
  const model::Disk* disk = nullptr;
  const model::ImageCounts* counts = nullptr;  // null: not sampled
  std::optional<std::uint64_t> capacity_bytes, physical_bytes;
};

// One guest at the moment of a scrape.
struct GuestRow {
  model::DomainViewPtr view;
  model::GuestSamplePtr sample;  // of this life; null: there is none
  model::LaneGauge::Figures lane;
  SteadyClock::time_point now;
  std::string labels;                        // domain
  std::optional<SteadyClock::duration> age;  // of the oldest figure
  bool stale = false;                        // that is older than it ought to be, or something is missing
  std::vector<std::string> vcpu_labels;      // domain, vcpu
  std::vector<DiskRow> disks;
  std::vector<std::pair<std::string, const model::NetCounts*>> nets;  // domain, target_device

  const model::DomainDef& def() const { return view->current(); }
  const model::HostFigures* host() const { return sample ? sample->host.value.get() : nullptr; }
  const model::BalloonReport* balloon() const { return sample ? sample->balloon.value.get() : nullptr; }
};

// `limit`: the age beyond which figures are stale.
GuestRow look_at_guest(const model::DomainViewPtr& view, SteadyClock::time_point now, SteadyClock::duration limit);
// All guests of one version, by name.
std::vector<GuestRow> look_at_guests(const model::HostVersion& version, SteadyClock::time_point now,
                                     SteadyClock::duration limit);

struct GuestFamily {
  Family family;
  void (*read)(const GuestRow& guest, MetricsText& out);
};
// Every family of which each guest may have samples.
std::span<const GuestFamily> guest_families();

void write_guests(const std::vector<GuestRow>& guests, MetricsText& out);

}  // namespace vireo::doors::http
