// What holds for every family, and what is told of guests that were made up for it.
#include <gtest/gtest.h>
#include <libvirt/libvirt.h>

#include <set>

#include "doors/http/metrics/guests.hpp"
#include "doors/http/metrics/render.hpp"

namespace vireo::doors::http {
namespace {

using std::chrono::seconds;

std::vector<Family> all_families() {
  auto all = daemon_families();
  for (const auto& each : guest_families()) all.push_back(each.family);
  return all;
}

TEST(Families, HaveGoodNamesAndAreExplained) {
  std::set<std::string_view> seen;
  for (const auto& family : all_families()) {
    EXPECT_TRUE(seen.insert(family.name).second) << family.name << " is there twice";
    EXPECT_EQ(family.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789"), std::string_view::npos)
        << family.name;
    for (const std::string_view suffix : {"_total", "_info", "_count", "_sum", "_bucket"})
      EXPECT_FALSE(family.name.ends_with(suffix)) << family.name << ": the writer adds what the kind asks for";
    if (family.unit.empty())
      for (const std::string_view unit : {"_seconds", "_bytes"})
        EXPECT_FALSE(family.name.ends_with(unit)) << family.name;
    else
      EXPECT_TRUE(family.name.ends_with("_" + std::string(family.unit))) << family.name;
    EXPECT_TRUE(family.help.ends_with('.')) << family.name;
  }
}

// A family's name with what a kind adds must not be another's.
TEST(Families, SamplesBelongToOneOnly) {
  std::set<std::string> names;
  for (const auto& family : all_families()) {
    const std::string name(family.name);
    std::vector<std::string> of_family{name};
    if (family.kind == Kind::counter) of_family = {name + "_total"};
    if (family.kind == Kind::info) of_family = {name + "_info"};
    if (family.kind == Kind::summary) of_family = {name, name + "_count", name + "_sum"};
    if (family.kind == Kind::histogram) of_family = {name, name + "_count", name + "_sum", name + "_bucket"};
    for (const auto& each : of_family) EXPECT_TRUE(names.insert(each).second) << each;
  }
}

TEST(Counters, WhatHasNoFamilyIsStillTold) {
  MetricsText out(Format::prometheus);
  write_counters({{"libvirt", "clients", 3}, {"new", "thing", 7}, {"metrics", "connections", 1}}, out);
  const auto text = out.finish();
  EXPECT_TRUE(text.contains("vireo_clients{door=\"libvirt\"} 3\nvireo_clients{door=\"metrics\"} 1\n")) << text;
  EXPECT_TRUE(text.contains("vireo_other{group=\"new\",name=\"thing\"} 7\n")) << text;
}

class Told : public ::testing::Test {
 protected:
  Told() {
    def_->name = "we\"b\n\\1";
    def_->memory_kib = 2048;
    def_->current_memory_kib = 1024;
    def_->vcpus_max = 2;
    def_->devices.disks.push_back({.file = "/i\"mg", .target = "vda", .bus = model::DiskBus::virtio});
    def_->devices.disks.back().info.alias = "virtio-disk0";
    def_->devices.interfaces.push_back({.type = model::InterfaceType::bridge, .bridge = "br0", .target = "tap0"});
    sample_->id = 4;
    model::HostFigures host{.cpu_ns = 2'500'000'000, .rss_kib = 3};
    host.vcpus = {model::VcpuTimes{.run_ns = 1'000'000'000, .delay_ns = 5}, std::nullopt};
    host.nets.push_back({.target = "tap0", .rx_bytes = 9});
    host.files.push_back({.path = "/i\"mg", .length_bytes = 10, .allocated_bytes = 8});
    host.stuck.push_back({.tid = 12, .name = "worker", .where = "io_schedule"});
    host.io_stall_us = 1500;
    sample_->host = {std::make_shared<const model::HostFigures>(host), now_ - seconds(1)};
    model::BlockCounts block{
        {.alias = "virtio-disk0", .chain = {{.node = "n", .read_bytes = 512, .failed_writes = 2}}}};
    sample_->block = {std::make_shared<const model::BlockCounts>(block), now_ - seconds(8)};
    sample_->images = {
        std::make_shared<const model::BlockFacts>(model::BlockFacts{{.node = "n", .capacity_bytes = 100}}),
        now_ - seconds(800)};
    sample_->monitor = {.round_trip = std::chrono::milliseconds(3), .waiting_since = now_ - seconds(7), .answers = 5};
  }

  std::string text(Format format = Format::prometheus) {
    auto view = std::make_shared<model::DomainView>();
    view->name = def_->name;
    view->id = 4;
    view->state = VIR_DOMAIN_RUNNING;
    view->reason = VIR_DOMAIN_RUNNING_BOOTED;
    view->live = def_;
    auto pulse = std::make_shared<model::Pulse>();
    pulse->sample.set(sample_);
    pulse->lane.entered("suspend", now_ - seconds(2));
    pulse->lane.set_waiting(3);
    view->pulse = pulse;
    MetricsText out(format);
    write_guests({look_at_guest(view, now_, seconds(10))}, out);
    return out.finish();
  }
  void expect(std::initializer_list<std::string_view> lines) {
    const auto all = text();
    for (const auto line : lines) EXPECT_TRUE(all.contains("\n" + std::string(line) + "\n")) << line << "\n" << all;
  }

  const SteadyClock::time_point now_ = SteadyClock::now();
  std::shared_ptr<model::DomainDef> def_ = std::make_shared<model::DomainDef>();
  std::shared_ptr<model::GuestSample> sample_ = std::make_shared<model::GuestSample>();
};

// NOLINTBEGIN(bugprone-suspicious-missing-comma): the label of the guest stands in the midst of most lines.
#define DOMAIN_LABEL R"(domain="we\"b\n\\1")"

TEST_F(Told, WhatTheExportersTell) {
  expect({"libvirt_domain_info_vstate{" DOMAIN_LABEL "} 1",
          "libvirt_domain_info_maximum_memory_bytes{" DOMAIN_LABEL "} 2097152",
          "libvirt_domain_info_virtual_cpus{" DOMAIN_LABEL "} 2",
          "libvirt_domain_info_cpu_time_seconds_total{" DOMAIN_LABEL "} 2.5",
          "libvirt_domain_vcpu_time_seconds_total{" DOMAIN_LABEL ",vcpu=\"0\"} 1",
          "libvirt_domain_block_meta{" DOMAIN_LABEL
          R"(,target_device="vda",source_file="/i\"mg",bus="virtio",disk_type="file"} 1)",
          "libvirt_domain_block_stats_read_bytes_total{" DOMAIN_LABEL ",target_device=\"vda\"} 512",
          "libvirt_domain_block_stats_capacity_bytes{" DOMAIN_LABEL ",target_device=\"vda\"} 100",
          "libvirt_domain_block_stats_physicalsize_bytes{" DOMAIN_LABEL ",target_device=\"vda\"} 8",
          "libvirt_domain_interface_stats_receive_bytes_total{" DOMAIN_LABEL ",target_device=\"tap0\"} 9",
          "libvirt_domain_interface_meta{" DOMAIN_LABEL ",target_device=\"tap0\",source_bridge=\"br0\"} 1",
          "libvirt_domain_memory_stats_rss_bytes{" DOMAIN_LABEL "} 3072"});
  EXPECT_FALSE(text().contains("vcpu=\"1\"")) << "nothing is known of it";
}

TEST_F(Told, WhatOnlyVireoTells) {
  expect({"vireo_domain_state{" DOMAIN_LABEL ",state=\"running\",reason=\"booted\"} 1",
          "vireo_domain_block_errors_total{" DOMAIN_LABEL ",target_device=\"vda\",operation=\"write\"} 2",
          "vireo_domain_monitor_silent_seconds{" DOMAIN_LABEL "} 7",
          "vireo_domain_monitor_round_trip_seconds{" DOMAIN_LABEL "} 0.003",
          "vireo_domain_lane_held_seconds{" DOMAIN_LABEL "} 2", "vireo_domain_lane_waiting{" DOMAIN_LABEL "} 3",
          "vireo_domain_stuck_threads{" DOMAIN_LABEL "} 1",
          "vireo_domain_stuck_thread_info{" DOMAIN_LABEL R"(,tid="12",thread="worker",where="io_schedule"} 1)",
          "vireo_domain_pressure_seconds_total{" DOMAIN_LABEL ",resource=\"io\"} 0.0015"});
}
// NOLINTEND(bugprone-suspicious-missing-comma)

TEST_F(Told, TheOldestFigureMakesTheAge) {
  expect({"vireo_domain_sample_age_seconds{" DOMAIN_LABEL "} 8", "vireo_domain_stale{" DOMAIN_LABEL "} 0"});
  sample_->host.at = now_ - seconds(11);
  expect({"vireo_domain_sample_age_seconds{" DOMAIN_LABEL "} 11", "vireo_domain_stale{" DOMAIN_LABEL "} 1"});
}

TEST_F(Told, WhatIsMissingIsStaleAndLeftOut) {
  sample_->block = {};
  expect({"vireo_domain_stale{" DOMAIN_LABEL "} 1", "vireo_domain_sample_age_seconds{" DOMAIN_LABEL "} 1"});
  EXPECT_FALSE(text().contains("block_stats_read"));
  sample_->id = 3;  // an earlier life's
  const auto all = text();
  EXPECT_TRUE(all.contains("vireo_domain_stale{" DOMAIN_LABEL "} 1\n")) << all;
  EXPECT_FALSE(all.contains("cpu_time")) << all;
}

TEST_F(Told, AGuestThatDoesNotRunHasNoFigures) {
  auto view = std::make_shared<model::DomainView>();
  view->name = "off";
  view->persistent = def_;
  MetricsText out(Format::openmetrics);
  write_guests({look_at_guest(view, now_, seconds(10))}, out);
  const auto all = out.finish();
  EXPECT_TRUE(all.contains("libvirt_domain_info_vstate{domain=\"off\"} 5\n")) << all;
  EXPECT_TRUE(all.contains("vireo_domain_state{domain=\"off\",state=\"shutoff\",reason=\"unknown\"} 1\n")) << all;
  for (const char* name : {"vireo_domain_stale", "_block_", "cpu_time", "_monitor_", "memory_stats"})
    EXPECT_FALSE(all.contains(name)) << name;
}

}  // namespace
}  // namespace vireo::doors::http
