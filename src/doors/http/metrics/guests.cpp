// The table of what is told of each guest. The names below libvirt_ are those of the exporters that are in use for
// libvirt (kumina's and the ones that came of it), so that dashboards made for them show Vireo's guests, too; what they
// do not have stands below vireo_domain_.
#include "doors/http/metrics/guests.hpp"

#include <algorithm>

#include "doors/http/state_words.hpp"

namespace vireo::doors::http {
namespace {

using enum Kind;
using Out = MetricsText;
using model::name_of;

std::uint64_t bytes(std::uint64_t kib) { return kib * 1024; }

template <class T>
void add_if(Out& out, std::string_view labels, const std::optional<T>& value) {
  if (value) out.add(labels, *value);
}

using ImageCount = std::uint64_t model::ImageCounts::*;
template <ImageCount field>
void disk_count(const GuestRow& guest, Out& out) {
  for (const auto& disk : guest.disks)
    if (disk.counts) out.add(disk.labels, disk.counts->*field);
}
template <ImageCount field>
void disk_time(const GuestRow& guest, Out& out) {
  for (const auto& disk : guest.disks)
    if (disk.counts) out.add(disk.labels, Seconds(disk.counts->*field));
}

void disk_errors(const GuestRow& guest, Out& out) {
  for (const auto& disk : guest.disks) {
    if (!disk.counts) continue;
    out.add(disk.labels + R"(,operation="read")", disk.counts->failed_reads);
    out.add(disk.labels + R"(,operation="write")", disk.counts->failed_writes);
    out.add(disk.labels + R"(,operation="flush")", disk.counts->failed_flushes);
  }
}

void add_label_if_any(std::string& labels, std::string_view name, std::string_view value) {
  if (!value.empty()) add_label(labels, name, value);
}

void disk_facts(const GuestRow& guest, Out& out) {
  for (const auto& row : guest.disks) {
    const auto& disk = *row.disk;
    auto labels = row.labels;
    add_label_if_any(labels, "source_file", disk.file);
    add_label_if_any(labels, "serial", disk.serial);
    add_label_if_any(labels, "bus", name_of(disk.bus));
    add_label(labels, "disk_type", "file");
    add_label_if_any(labels, "driver_type", name_of(disk.driver.format));
    add_label_if_any(labels, "cache", name_of(disk.driver.cache));
    add_label_if_any(labels, "discard", name_of(disk.driver.discard));
    out.add(labels, 1);
  }
}

template <std::uint64_t model::NetCounts::* field>
void net_count(const GuestRow& guest, Out& out) {
  for (const auto& [labels, counts] : guest.nets) out.add(labels, counts->*field);
}

void interface_facts(const GuestRow& guest, Out& out) {
  if (!guest.view->active()) return;
  for (const auto& interface : guest.def().devices.interfaces) {
    if (!interface.has_host_device()) continue;
    auto labels = guest.labels;
    add_label(labels, "target_device", interface.target);
    add_label_if_any(labels, "source_bridge", interface.bridge);
    if (interface.mac) add_label(labels, "mac", interface.mac->text());
    out.add(labels, 1);
  }
}

template <std::uint64_t model::VcpuTimes::* field>
void vcpu_time(const GuestRow& guest, Out& out) {
  const auto* host = guest.host();
  if (!host) return;
  for (std::size_t i = 0; i < guest.vcpu_labels.size() && i < host->vcpus.size(); ++i)
    if (host->vcpus[i]) out.add(guest.vcpu_labels[i], Seconds((*host->vcpus[i]).*field));
}

template <std::optional<std::uint64_t> model::BalloonReport::* field>
void told_by_balloon(const GuestRow& guest, Out& out) {
  if (const auto* report = guest.balloon()) add_if(out, guest.labels, report->*field);
}

void used_percent(const GuestRow& guest, Out& out) {
  const auto* report = guest.balloon();
  if (!report || !report->total_bytes || !report->available_bytes || *report->total_bytes == 0) return;
  const auto total = static_cast<double>(*report->total_bytes);
  out.add(guest.labels, 100 * (total - static_cast<double>(*report->available_bytes)) / total);
}

void pressure(const GuestRow& guest, Out& out) {
  const auto* host = guest.host();
  if (!host) return;
  const auto add = [&](std::string_view resource, const std::optional<std::uint64_t>& us) {
    if (us) out.add(guest.labels + "," + label("resource", resource), Seconds(*us * 1000));
  };
  add("cpu", host->cpu_stall_us);
  add("memory", host->memory_stall_us);
  add("io", host->io_stall_us);
}

void stuck_threads(const GuestRow& guest, Out& out) {
  const auto* host = guest.host();
  if (!host) return;
  for (const auto& thread : host->stuck) {
    auto labels = guest.labels;
    add_label(labels, "tid", std::to_string(thread.tid));
    add_label_if_any(labels, "thread", thread.name);
    add_label_if_any(labels, "where", thread.where);
    add_label_if_any(labels, "file", thread.file);
    out.add(labels, 1);
  }
}

constexpr GuestFamily table[] = {
    // Of every guest.
    {{"libvirt_domain_info_meta", gauge, "", "The guest's UUID; always 1."},
     [](const GuestRow& g, Out& out) { out.add(g.labels + "," + label("uuid", g.view->uuid.text()), 1); }},
    {{"libvirt_domain_info_vstate", gauge, "",
      "The guest's state by libvirt's number: 1 running, 2 blocked, 3 paused, 4 shutting down, 5 shut off, 6 crashed, "
      "7 suspended by its power management."},
     [](const GuestRow& g, Out& out) { out.add(g.labels, g.view->state); }},
    {{"libvirt_domain_info_maximum_memory_bytes", gauge, "bytes", "The memory that the guest is built with."},
     [](const GuestRow& g, Out& out) { out.add(g.labels, bytes(g.def().memory_kib)); }},
    {{"libvirt_domain_info_memory_usage_bytes", gauge, "bytes", "The memory that the balloon leaves the guest."},
     [](const GuestRow& g, Out& out) { out.add(g.labels, bytes(g.def().current_memory_kib)); }},
    {{"libvirt_domain_info_virtual_cpus", gauge, "", "The number of the guest's virtual processors."},
     [](const GuestRow& g, Out& out) { out.add(g.labels, g.def().vcpus()); }},
    {{"vireo_domain", info, "", "Which guest it is, and of which kind."},
     [](const GuestRow& g, Out& out) {
       auto labels = g.labels;
       add_label(labels, "uuid", g.view->uuid.text());
       add_label(labels, "type", name_of(g.def().type));
       add_label(labels, "persistent", g.view->persistent ? "yes" : "no");
       out.add(labels, 1);
     }},
    {{"vireo_domain_state", gauge, "", "The state that the guest is in, and why; always 1."},
     [](const GuestRow& g, Out& out) {
       auto labels = g.labels;
       add_label(labels, "state", state_word(g.view->state));
       add_label(labels, "reason", reason_word(g.view->state, g.view->reason));
       out.add(labels, 1);
     }},
    {{"vireo_domain_lane_held_seconds", gauge, "seconds",
      "How long the change that is under way on the guest has been so; 0: none is."},
     [](const GuestRow& g, Out& out) { out.add(g.labels, Seconds(g.lane.held_for)); }},
    {{"vireo_domain_lane_waiting", gauge, "", "Changes to the guest that wait for an earlier one."},
     [](const GuestRow& g, Out& out) { out.add(g.labels, g.lane.waiting); }},

    // Of those that run.
    {{"vireo_domain_sample_age_seconds", gauge, "seconds", "The age of the oldest of the guest's figures here."},
     [](const GuestRow& g, Out& out) {
       if (g.age) out.add(g.labels, Seconds(*g.age));
     }},
    {{"vireo_domain_stale", gauge, "",
      "Whether figures of the running guest are missing or older than two sampling periods; 1: they are."},
     [](const GuestRow& g, Out& out) {
       if (g.view->active()) out.add(g.labels, g.stale);
     }},
    {{"vireo_domain_monitor_silent_seconds", gauge, "seconds",
      "How long the guest's monitor has left a question unanswered; 0: none is open."},
     [](const GuestRow& g, Out& out) {
       if (!g.sample) return;
       const auto& since = g.sample->monitor.waiting_since;
       out.add(g.labels, Seconds(since ? g.now - *since : SteadyClock::duration::zero()));
     }},
    {{"vireo_domain_monitor_round_trip_seconds", gauge, "seconds",
      "How long the guest's monitor took to answer the last question that it did answer."},
     [](const GuestRow& g, Out& out) {
       if (g.sample && g.sample->monitor.round_trip) out.add(g.labels, Seconds(*g.sample->monitor.round_trip));
     }},
    {{"vireo_domain_monitor_answers", counter, "", "Questions for figures that the guest's monitor has answered."},
     [](const GuestRow& g, Out& out) {
       if (g.sample) out.add(g.labels, g.sample->monitor.answers);
     }},
    {{"vireo_domain_monitor_failures", counter, "",
      "Questions for figures that the guest's monitor refused, wholly or in part, or that were lost with it."},
     [](const GuestRow& g, Out& out) {
       if (g.sample) out.add(g.labels, g.sample->monitor.failures);
     }},
    {{"vireo_domain_stuck_threads", gauge, "", "Threads of the guest's process in uninterruptible sleep (state D)."},
     [](const GuestRow& g, Out& out) {
       if (const auto* h = g.host()) out.add(g.labels, h->stuck.size());
     }},
    {{"vireo_domain_stuck_thread", info, "",
      "A thread in uninterruptible sleep: where in the kernel, and about which file, as far as that can be told."},
     &stuck_threads},
    {{"vireo_domain_pressure_seconds", counter, "seconds",
      "Time in which some task of the guest's control group waited for the resource."},
     &pressure},

    // Processors.
    {{"libvirt_domain_info_cpu_time_seconds", counter, "seconds", "Processor time that the guest's process has used."},
     [](const GuestRow& g, Out& out) {
       if (const auto* h = g.host()) out.add(g.labels, Seconds(h->cpu_ns));
     }},
    {{"vireo_domain_cpu_seconds", counter, "seconds", "The same, apart for user and system mode."},
     [](const GuestRow& g, Out& out) {
       const auto* h = g.host();
       if (!h) return;
       out.add(g.labels + R"(,mode="user")", Seconds(h->user_ns));
       out.add(g.labels + R"(,mode="system")", Seconds(h->system_ns));
     }},
    {{"libvirt_domain_vcpu_time_seconds", counter, "seconds", "Time that the virtual processor has run."},
     &vcpu_time<&model::VcpuTimes::run_ns>},
    {{"libvirt_domain_vcpu_delay_seconds", counter, "seconds",
      "Time in which the virtual processor could have run and had no processor to do so."},
     &vcpu_time<&model::VcpuTimes::delay_ns>},
    {{"libvirt_domain_vcpu_wait_seconds", counter, "seconds",
      "Time in which the virtual processor waited for something; counted with kernel.sched_schedstats=1."},
     &vcpu_time<&model::VcpuTimes::wait_ns>},

    // Memory.
    {{"libvirt_domain_memory_stats_actual_balloon_bytes", gauge, "bytes",
      "The memory that the balloon leaves the guest."},
     [](const GuestRow& g, Out& out) {
       if (g.view->active()) out.add(g.labels, bytes(g.def().current_memory_kib));
     }},
    {{"libvirt_domain_memory_stats_rss_bytes", gauge, "bytes", "The host's memory that the guest's process occupies."},
     [](const GuestRow& g, Out& out) {
       if (const auto* h = g.host()) out.add(g.labels, bytes(h->rss_kib));
     }},
    {{"libvirt_domain_memory_stats_available_bytes", gauge, "bytes", "All memory, as the guest sees it."},
     &told_by_balloon<&model::BalloonReport::total_bytes>},
    {{"libvirt_domain_memory_stats_unused_bytes", gauge, "bytes", "Memory that the guest uses for nothing at all."},
     &told_by_balloon<&model::BalloonReport::free_bytes>},
    {{"libvirt_domain_memory_stats_usable_bytes", gauge, "bytes", "Memory that the guest can use without swapping."},
     &told_by_balloon<&model::BalloonReport::available_bytes>},
    {{"libvirt_domain_memory_stats_used_percent", gauge, "", "The share of its memory that the guest cannot spare."},
     &used_percent},
    {{"libvirt_domain_memory_stats_disk_cache_bytes", gauge, "bytes", "Memory in which the guest caches its disks."},
     &told_by_balloon<&model::BalloonReport::disk_caches_bytes>},
    {{"libvirt_domain_memory_stats_swap_in_bytes", gauge, "bytes", "What the guest has read from its swap space."},
     &told_by_balloon<&model::BalloonReport::swap_in_bytes>},
    {{"libvirt_domain_memory_stats_swap_out_bytes", gauge, "bytes", "What the guest has written to its swap space."},
     &told_by_balloon<&model::BalloonReport::swap_out_bytes>},
    {{"libvirt_domain_memory_stats_major_fault", counter, "", "Page faults in the guest that had to read a disk."},
     &told_by_balloon<&model::BalloonReport::major_faults>},
    {{"libvirt_domain_memory_stats_minor_fault", counter, "", "Page faults in the guest that had not."},
     &told_by_balloon<&model::BalloonReport::minor_faults>},

    // Disks.
    {{"libvirt_domain_block_meta", gauge, "", "The disk's image and how it is attached; always 1."}, &disk_facts},
    {{"libvirt_domain_block_stats_read_bytes", counter, "bytes", "Bytes read from the disk."},
     &disk_count<&model::ImageCounts::read_bytes>},
    {{"libvirt_domain_block_stats_read_requests", counter, "", "Reads of the disk."},
     &disk_count<&model::ImageCounts::reads>},
    {{"libvirt_domain_block_stats_read_time_seconds", counter, "seconds",
      "Time that reads of the disk took, added up."},
     &disk_time<&model::ImageCounts::read_ns>},
    {{"libvirt_domain_block_stats_write_bytes", counter, "bytes", "Bytes written to the disk."},
     &disk_count<&model::ImageCounts::written_bytes>},
    {{"libvirt_domain_block_stats_write_requests", counter, "", "Writes to the disk."},
     &disk_count<&model::ImageCounts::writes>},
    {{"libvirt_domain_block_stats_write_time_seconds", counter, "seconds",
      "Time that writes to the disk took, added up."},
     &disk_time<&model::ImageCounts::write_ns>},
    {{"libvirt_domain_block_stats_flush_requests", counter, "", "Flushes of the disk's cache."},
     &disk_count<&model::ImageCounts::flushes>},
    {{"libvirt_domain_block_stats_flush_time_seconds", counter, "seconds",
      "Time that flushes of the disk's cache took, added up."},
     &disk_time<&model::ImageCounts::flush_ns>},
    {{"libvirt_domain_block_stats_allocation", gauge, "", "The end of what was written farthest out, in bytes."},
     [](const GuestRow& g, Out& out) {
       for (const auto& disk : g.disks)
         if (disk.counts) add_if(out, disk.labels, disk.counts->highest_write);
     }},
    {{"libvirt_domain_block_stats_capacity_bytes", gauge, "bytes", "The size of the disk that the guest sees."},
     [](const GuestRow& g, Out& out) {
       for (const auto& disk : g.disks) add_if(out, disk.labels, disk.capacity_bytes);
     }},
    {{"libvirt_domain_block_stats_physicalsize_bytes", gauge, "bytes", "What the disk's image occupies on the host."},
     [](const GuestRow& g, Out& out) {
       for (const auto& disk : g.disks) add_if(out, disk.labels, disk.physical_bytes);
     }},
    {{"vireo_domain_block_errors", counter, "", "Requests to the disk that failed."}, &disk_errors},

    // Networks. What the host's device sends, the guest receives; the directions here are the guest's.
    {{"libvirt_domain_interface_meta", gauge, "", "What the interface is connected to; always 1."}, &interface_facts},
    {{"libvirt_domain_interface_stats_receive_bytes", counter, "bytes", "Bytes that the guest was sent."},
     &net_count<&model::NetCounts::rx_bytes>},
    {{"libvirt_domain_interface_stats_receive_packets", counter, "", "Packets that the guest was sent."},
     &net_count<&model::NetCounts::rx_packets>},
    {{"libvirt_domain_interface_stats_receive_errors", counter, "", "Packets to the guest that failed."},
     &net_count<&model::NetCounts::rx_errors>},
    {{"libvirt_domain_interface_stats_receive_drops", counter, "", "Packets to the guest that were dropped."},
     &net_count<&model::NetCounts::rx_drops>},
    {{"libvirt_domain_interface_stats_transmit_bytes", counter, "bytes", "Bytes that the guest has sent."},
     &net_count<&model::NetCounts::tx_bytes>},
    {{"libvirt_domain_interface_stats_transmit_packets", counter, "", "Packets that the guest has sent."},
     &net_count<&model::NetCounts::tx_packets>},
    {{"libvirt_domain_interface_stats_transmit_errors", counter, "", "Packets of the guest that failed."},
     &net_count<&model::NetCounts::tx_errors>},
    {{"libvirt_domain_interface_stats_transmit_drops", counter, "", "Packets of the guest that were dropped."},
     &net_count<&model::NetCounts::tx_drops>},
};

DiskRow disk_row(const GuestRow& guest, const model::Disk& disk) {
  DiskRow row{.labels = guest.labels + "," + label("target_device", disk.target), .disk = &disk};
  if (!guest.sample) return row;
  if (guest.sample->block) {
    const auto& all = *guest.sample->block;
    const auto found = std::ranges::find(all, disk.info.alias, &model::DiskCounts::alias);
    if (found != all.end() && !found->chain.empty()) row.counts = &found->chain.front();
  }
  if (row.counts && guest.sample->images && !row.counts->node.empty()) {
    const auto& all = *guest.sample->images;
    const auto found = std::ranges::find(all, row.counts->node, &model::ImageFacts::node);
    if (found != all.end()) row.capacity_bytes = found->capacity_bytes;
  }
  if (const auto* host = guest.host(); host && !disk.file.empty()) {
    const auto found = std::ranges::find(host->files, disk.file, &model::FileSize::path);
    if (found != host->files.end()) row.physical_bytes = found->allocated_bytes;
  }
  return row;
}

// How old the guest's figures are. What is asked only when something has changed does not age.
void judge_age(GuestRow& guest, SteadyClock::duration limit) {
  const auto look = [&](bool expected, const auto& part) {
    if (!expected) return;
    if (!part)
      guest.stale = true;
    else
      guest.age = std::max(guest.age.value_or(SteadyClock::duration::zero()), guest.now - part.at);
  };
  static const model::GuestSample nothing;
  const auto& sample = guest.sample ? *guest.sample : nothing;
  const auto& devices = guest.def().devices;
  look(true, sample.host);
  look(!devices.disks.empty(), sample.block);
  look(devices.memballoon && devices.memballoon->model != model::BalloonModel::none &&
           devices.memballoon->stats_period_s.value_or(0) > 0,
       sample.balloon);
  guest.stale = guest.stale || (guest.age && *guest.age > limit);
}

}  // namespace

std::span<const GuestFamily> guest_families() { return table; }

GuestRow look_at_guest(const model::DomainViewPtr& view, SteadyClock::time_point now, SteadyClock::duration limit) {
  GuestRow row{.view = view, .now = now, .labels = label("domain", view->name)};
  if (view->pulse) row.lane = view->pulse->lane.figures(now);
  if (!view->active()) return row;
  if (view->pulse) row.sample = view->pulse->sample_of(view->id);
  judge_age(row, limit);
  const auto& def = row.def();
  for (unsigned i = 0; i < def.vcpus(); ++i)
    row.vcpu_labels.push_back(row.labels + "," + label("vcpu", std::to_string(i)));
  for (const auto& disk : def.devices.disks) row.disks.push_back(disk_row(row, disk));
  if (const auto* host = row.host())
    for (const auto& net : host->nets)
      row.nets.emplace_back(row.labels + "," + label("target_device", net.target), &net);
  return row;
}

std::vector<GuestRow> look_at_guests(const model::HostVersion& version, SteadyClock::time_point now,
                                     SteadyClock::duration limit) {
  std::vector<const model::DomainViewPtr*> sorted;
  sorted.reserve(version.by_uuid.size());
  version.by_uuid.for_each([&](const Uuid&, const model::DomainViewPtr& view) { sorted.push_back(&view); });
  std::ranges::sort(sorted, {}, [](const auto* view) -> const std::string& { return (*view)->name; });
  std::vector<GuestRow> rows;
  rows.reserve(sorted.size());
  for (const auto* view : sorted) rows.push_back(look_at_guest(*view, now, limit));
  return rows;
}

void write_guests(const std::vector<GuestRow>& guests, MetricsText& out) {
  for (const auto& each : table) {
    out.begin(each.family);
    for (const auto& guest : guests) each.read(guest, out);
  }
}

}  // namespace vireo::doors::http
