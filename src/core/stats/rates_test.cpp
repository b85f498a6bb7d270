// Rows from samples: rates over what passed, and no value where there is none to tell.
#include "core/stats/rates.hpp"

#include <gtest/gtest.h>

#include <random>

namespace vireo::core {
namespace {

using std::chrono::seconds;

constexpr auto kPeriod = seconds(5);
const SteadyClock::time_point kBegin{std::chrono::hours(1)};

template <class T>
model::Timed<T> timed(T value, SteadyClock::time_point at) {
  return {std::make_shared<const T>(std::move(value)), at};
}

std::optional<double> of(const Row& row, Series series) { return row[static_cast<std::size_t>(series)]; }

// What is known of a guest after `n` periods in which it did the same.
model::GuestSample sample(std::uint64_t n, int id = 1) {
  const auto at = kBegin + n * kPeriod;
  model::GuestSample out{.id = id};
  model::HostFigures host{.cpu_ns = 1'000 + n * 7'500'000'000, .rss_kib = 2048, .cpu_stall_us = n * 500'000};
  host.vcpus = {model::VcpuTimes{.delay_ns = n * 250'000'000}, std::nullopt, model::VcpuTimes{.delay_ns = 0}};
  host.nets = {{.target = "tap0", .rx_bytes = n * 5'000, .rx_packets = n * 50},
               {.target = "tap1", .rx_bytes = n * 500, .tx_bytes = n * 10, .tx_packets = n * 5}};
  out.host = timed(std::move(host), at);
  model::ImageCounts image{.reads = n * 10, .read_bytes = n * 40'960, .read_ns = n * 20'000'000, .flushes = n * 5};
  image.failed_writes = n;
  out.block = timed(model::BlockCounts{{.alias = "virtio-disk0", .chain = {image, {.reads = 999}}}}, at);
  out.balloon = timed(
      model::BalloonReport{.last_update_s = 1, .free_bytes = 10, .total_bytes = 1'000, .available_bytes = 400}, at);
  out.monitor = {.round_trip = std::chrono::microseconds(1'500), .answered_at = at};
  return out;
}

model::DomainDef live() {
  model::DomainDef out;
  out.current_memory_kib = 1024;
  return out;
}

TEST(Rates, AreWhatPassedSinceTheSampleBefore) {
  Rates rates;
  const auto first = rates.next(sample(1), live(), kPeriod);
  EXPECT_EQ(of(first, Series::cpu), std::nullopt);
  EXPECT_EQ(of(first, Series::memory), 2 << 20);
  const auto row = rates.next(sample(2), live(), kPeriod);
  EXPECT_DOUBLE_EQ(*of(row, Series::cpu), 150);
  EXPECT_DOUBLE_EQ(*of(row, Series::cpu_delay), 5);
  EXPECT_DOUBLE_EQ(*of(row, Series::cpu_stall), 10);
  EXPECT_EQ(of(row, Series::io_stall), std::nullopt);
  EXPECT_DOUBLE_EQ(*of(row, Series::memory_balloon), 1 << 20);
  EXPECT_DOUBLE_EQ(*of(row, Series::memory_used), 600);
  EXPECT_DOUBLE_EQ(*of(row, Series::net_receive), 1'100);
  EXPECT_DOUBLE_EQ(*of(row, Series::net_send), 2);
  EXPECT_DOUBLE_EQ(*of(row, Series::net_receive_packets), 10);
  EXPECT_DOUBLE_EQ(*of(row, Series::net_send_packets), 1);
  EXPECT_DOUBLE_EQ(*of(row, Series::disk_read), 8'192);
  EXPECT_DOUBLE_EQ(*of(row, Series::disk_read_requests), 2);
  EXPECT_DOUBLE_EQ(*of(row, Series::disk_flushes), 1);
  EXPECT_DOUBLE_EQ(*of(row, Series::disk_failures), 0.2);
  EXPECT_DOUBLE_EQ(*of(row, Series::disk_read_latency), 2);
  EXPECT_EQ(of(row, Series::disk_write_latency), std::nullopt) << "nothing was written";
  EXPECT_DOUBLE_EQ(*of(row, Series::disk_write), 0);
  EXPECT_DOUBLE_EQ(*of(row, Series::monitor), 1.5);
}

TEST(Rates, WhatIsNotNewIsAbsentAndTheRestGoesOn) {
  Rates rates;
  rates.next(sample(1), live(), kPeriod);
  auto hangs = sample(2);
  const auto old = sample(1);
  hangs.block = old.block;
  hangs.balloon = old.balloon;
  hangs.monitor.answered_at = old.monitor.answered_at;
  const auto row = rates.next(hangs, live(), kPeriod);
  EXPECT_TRUE(of(row, Series::cpu) && of(row, Series::net_receive) && of(row, Series::memory));
  for (const auto series : {Series::disk_read, Series::memory_used, Series::monitor, Series::disk_failures})
    EXPECT_EQ(of(row, series), std::nullopt);
  // When it answers again the rate is that of the time since.
  EXPECT_DOUBLE_EQ(*of(rates.next(sample(3), live(), kPeriod), Series::disk_read), 8'192);
}

TEST(Rates, AfterALongSilenceThereIsNoneUntilTheSecondSample) {
  Rates rates;
  rates.next(sample(1), live(), kPeriod);
  EXPECT_EQ(of(rates.next(sample(9), live(), kPeriod), Series::cpu), std::nullopt);
  EXPECT_DOUBLE_EQ(*of(rates.next(sample(10), live(), kPeriod), Series::cpu), 150);
}

TEST(Rates, AnotherLifeBeginsAnew) {
  Rates rates;
  rates.next(sample(1), live(), kPeriod);
  const auto row = rates.next(sample(2, 2), live(), kPeriod);
  EXPECT_EQ(of(row, Series::cpu), std::nullopt);
  EXPECT_EQ(of(row, Series::disk_read), std::nullopt);
  EXPECT_TRUE(of(row, Series::memory));
  EXPECT_TRUE(of(rates.next(sample(3, 2), live(), kPeriod), Series::cpu));
}

TEST(Rates, AnotherNumberOfDevicesBeginsTheirsAnew) {
  Rates rates;
  rates.next(sample(1), live(), kPeriod);
  auto more = sample(2);
  auto host = *more.host;
  host.nets.push_back({.target = "tap2", .rx_bytes = 1'000'000'000'000});
  more.host = timed(std::move(host), more.host.at);
  auto block = *more.block;
  block.push_back({.alias = "virtio-disk1", .chain = {{.reads = 1'000'000}}});
  more.block = timed(std::move(block), more.block.at);
  const auto row = rates.next(more, live(), kPeriod);
  EXPECT_TRUE(of(row, Series::cpu));
  EXPECT_EQ(of(row, Series::net_receive), std::nullopt);
  EXPECT_EQ(of(row, Series::disk_read_requests), std::nullopt);
}

TEST(Rates, AProcessThatHasEndedTellsNothing) {
  Rates rates;
  rates.next(sample(1), live(), kPeriod);
  auto ended = sample(2);
  ended.host = timed(model::HostFigures{}, ended.host.at);
  const auto row = rates.next(ended, live(), kPeriod);
  for (const auto series : {Series::cpu, Series::memory, Series::net_receive}) EXPECT_EQ(of(row, series), std::nullopt);
}

TEST(Rates, CountersThatGoBackGiveNoRate) {
  // Whatever is counted and however it falls, nothing is negative, and nothing exceeds what was counted upwards.
  std::mt19937_64 dice(3);
  Rates rates;
  std::uint64_t most = 0;
  auto counter = [&dice, &most] { return most = dice() % 4 == 0 ? dice() % 1'000 : most + dice() % 1'000; };
  for (std::uint64_t n = 1; n < 2'000; ++n) {
    auto next = sample(n);
    model::HostFigures host{.cpu_ns = 1 + counter(), .rss_kib = 1, .cpu_stall_us = counter()};
    host.vcpus = {model::VcpuTimes{.delay_ns = counter()}};
    host.nets = {{.target = "tap0", .rx_bytes = counter(), .tx_packets = counter()}};
    next.host = timed(std::move(host), next.host.at);
    model::ImageCounts image{.reads = counter(), .read_bytes = counter(), .read_ns = counter(), .flush_ns = 0};
    next.block = timed(model::BlockCounts{{.alias = "a", .chain = {image}}}, next.block.at);
    const auto row = rates.next(next, live(), kPeriod);
    for (std::size_t i = 0; i < kSeries; ++i)
      if (row[i]) ASSERT_TRUE(*row[i] >= 0 && *row[i] < 1e8) << series_table()[i].name << " " << *row[i];
  }
}

TEST(Rates, AnEmptySampleIsAnEmptyRow) {
  Rates rates;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rates.next({.id = 1}, live(), kPeriod), Row{});
  // Devices without counters, and without devices.
  auto bare = sample(1);
  bare.host = timed(model::HostFigures{.cpu_ns = 5}, kBegin);
  bare.block = timed(model::BlockCounts{{.alias = "a", .chain = {}}}, kBegin);
  bare.balloon = timed(model::BalloonReport{}, kBegin);
  rates.next(bare, live(), kPeriod);
  auto later = bare;
  later.host.at = later.block.at = later.balloon.at = kBegin + kPeriod;
  const auto row = rates.next(later, live(), kPeriod);
  EXPECT_EQ(of(row, Series::cpu), 0);
  for (const auto series : {Series::net_receive, Series::cpu_delay, Series::memory_used})
    EXPECT_EQ(of(row, series), std::nullopt);
}

}  // namespace
}  // namespace vireo::core
