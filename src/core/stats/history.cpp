// Appending, with gaps, and reading.
#include "core/stats/history.hpp"

#include <algorithm>
#include <cstdlib>

namespace vireo::core {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
// The host's clock may be slewed; it is set when it differs by more.
constexpr std::int64_t kClockToleranceMs = 1'000;

Codes encode(const Row& row) {
  Codes out{};
  for (std::size_t i = 0; i < kSeries; ++i) out[i] = encode(*series_table()[i].scale, row[i]);
  return out;
}

using Entries = std::vector<HistoryRing::Entry>;

// Says that there is a gap, if what comes next is farther away than rows are from each other.
void mind_gap(Entries& out, std::int64_t next_ms, std::int64_t distance_ms) {
  if (!out.empty() && (next_ms - out.back().at_ms) * 2 > distance_ms * 3)
    out.push_back({.at_ms = out.back().at_ms + distance_ms});
}

void add_rows(Entries& out, const Rows& rows, unsigned count, std::int64_t first_ms, std::int64_t length_ms) {
  for (unsigned row = 0; row < count; ++row)
    out.push_back({.at_ms = first_ms + (count > 1 ? length_ms * row / (count - 1) : 0), .codes = rows[row].codes()});
}

}  // namespace

void HistoryRing::append(std::int64_t at_ms, std::uint32_t period_ms, const Codes& codes) {
  if (!empty()) {
    const std::int64_t distance_ms = at_ms - last_ms_;
    if (distance_ms * 2 < period_ms) return;
    const auto missed = (distance_ms + period_ms / 2) / period_ms - 1;
    if (open_count_ > 0 && (period_ms != open_period_ms_ || open_count_ + missed >= kRowsInBlock)) seal_open();
    if (open_count_ > 0)
      for (std::int64_t i = 0; i < missed; ++i) put({});
  }
  if (open_count_ == 0) {
    open_first_ms_ = at_ms;
    open_period_ms_ = period_ms;
  }
  put(codes);
  last_ms_ = at_ms;
  if (open_count_ == kRowsInBlock) seal_open();
}

void HistoryRing::seal_open() {
  auto block = seal(open_, open_count_);
  block.first_ms = open_first_ms_;
  block.length_ms = static_cast<std::uint32_t>(last_ms_ - open_first_ms_);
  if (sealed_.size() == most_blocks_) sealed_.erase(sealed_.begin());
  sealed_.push_back(std::move(block));
  open_count_ = 0;
}

std::vector<HistoryRing::Entry> HistoryRing::read() const {
  std::vector<Entry> out;
  out.reserve((sealed_.size() + 1) * (kRowsInBlock + 1));
  for (const auto& block : sealed_) {
    mind_gap(out, block.first_ms, block.rows > 1 ? block.length_ms / (block.rows - 1) : open_period_ms_);
    add_rows(out, unseal(block), block.rows, block.first_ms, block.length_ms);
  }
  if (open_count_ > 0) {
    mind_gap(out, open_first_ms_, open_period_ms_);
    add_rows(out, open_, open_count_, open_first_ms_, last_ms_ - open_first_ms_);
  }
  return out;
}

std::size_t HistoryRing::heap_bytes() const {
  // As malloc rounds, with its own word, and what is shared counts its owners.
  constexpr std::size_t word = 8, rounding = 16, owners = 32;
  const auto rounded = [](std::size_t size) { return (size + word + rounding - 1) / rounding * rounding; };
  std::size_t out = sealed_.capacity() > 0 ? rounded(sealed_.capacity() * sizeof(SealedBlock)) : 0;
  for (const auto& block : sealed_) out += rounded(block.size + owners);
  return out;
}

void History::append(std::int64_t at_ms, std::int64_t utc_ms, std::uint32_t period_ms, const Row& row) {
  if (std::abs(utc_ms - at_ms - utc_offset_ms_) > kClockToleranceMs) utc_offset_ms_ = utc_ms - at_ms;
  const auto codes = encode(row);
  fine_.append(at_ms, period_ms, codes);
  if (minute_open_ && at_ms >= minute_end_ms_) {
    coarse_.append(minute_end_ms_, kMinuteMs, minute());
    minute_open_ = false;
  }
  // There is nothing to take the mean of.
  if (period_ms >= kMinuteMs) return coarse_.append(at_ms, period_ms, codes);
  if (!minute_open_) {
    minute_open_ = true;
    means_ = {};
    minute_end_ms_ = at_ms + kMinuteMs - (at_ms + utc_offset_ms_) % kMinuteMs;
  }
  minute_last_ms_ = at_ms;
  for (std::size_t i = 0; i < kSeries; ++i)
    if (row[i]) {
      means_[i].sum += static_cast<float>(*row[i]);
      ++means_[i].count;
    }
}

Codes History::minute() const {
  Codes out{};
  for (std::size_t i = 0; i < kSeries; ++i)
    if (const auto& mean = means_[i]; mean.count > 0)
      out[i] = encode(*series_table()[i].scale, mean.sum / static_cast<float>(mean.count));
  return out;
}

std::vector<HistoryRing::Entry> History::read(Span span, std::int64_t now_ms) const {
  auto out = coarse_.read();
  if (span == Span::hour && !fine_.empty()) {
    std::erase_if(out, [this](const auto& entry) { return entry.at_ms >= fine_.first_ms(); });
    mind_gap(out, fine_.first_ms(), kMinuteMs);
    std::ranges::copy(fine_.read(), std::back_inserter(out));
  } else if (span == Span::day && minute_open_) {
    mind_gap(out, minute_last_ms_, kMinuteMs);
    out.push_back({.at_ms = minute_last_ms_, .codes = minute()});
  }
  std::erase_if(out, [&](const auto& entry) { return entry.at_ms <= now_ms - length_ms(span); });
  for (auto& entry : out) entry.at_ms += utc_offset_ms_;
  return out;
}

}  // namespace vireo::core
