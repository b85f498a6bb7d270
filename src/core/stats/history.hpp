// How a guest fared in the last hour and the last day: rows of all series, each sample for an hour and the mean of each
// minute for a day, in less than kMostHistoryBytes however random the values are. The newest rows stand as they are;
// sixty at a time are sealed into a compressed block. Times are the steady clock's, so that nothing goes backwards when
// somebody sets the host's clock; readers get UTC. A copy is cheap and shares the sealed blocks, so a reader copies the
// history where it is written, and reads it elsewhere. Pure.
#pragma once

#include <vector>

#include "core/stats/history_block.hpp"

namespace vireo::core {

inline constexpr std::size_t kMostHistoryBytes = 64 << 10;

// The last rows at an even distance, with the gaps between them.
class HistoryRing {
 public:
  struct Entry {
    std::int64_t at_ms = 0;
    Codes codes{};
  };

  // Keeps at least the last `rows` (a multiple of kRowsInBlock), counting those that were missed, for as long as their
  // distance stays the same.
  explicit HistoryRing(unsigned rows) : most_blocks_(rows / kRowsInBlock) { sealed_.reserve(most_blocks_); }

  // Rows are due each `period_ms`; one that comes much too early, at less than half of it, is left out.
  void append(std::int64_t at_ms, std::uint32_t period_ms, const Codes& codes);

  // Oldest first. Rows that were missed are there without values: each of them in a short gap, one for a long one.
  std::vector<Entry> read() const;

  bool empty() const { return sealed_.empty() && open_count_ == 0; }
  // When the first and the last row were true; not of an empty ring.
  std::int64_t first_ms() const { return sealed_.empty() ? open_first_ms_ : sealed_.front().first_ms; }
  std::int64_t last_ms() const { return last_ms_; }
  // What it takes beyond its own object.
  std::size_t heap_bytes() const;

 private:
  void put(const Codes& codes) { open_[open_count_++] = PackedRow(codes); }
  void seal_open();

  std::vector<SealedBlock> sealed_;  // oldest first
  unsigned most_blocks_;
  unsigned open_count_ = 0;
  std::uint32_t open_period_ms_ = 0;
  std::int64_t open_first_ms_ = 0, last_ms_ = 0;
  Rows open_;
};

class History {
 public:
  enum class Span : std::uint8_t { hour, day };
  static constexpr std::int64_t length_ms(Span span) { return span == Span::hour ? 3'600'000 : 86'400'000; }

  // `at_ms` is the steady clock's and does not decrease, `utc_ms` the same moment since the epoch. `period_ms` is the
  // distance of samples; it may change.
  void append(std::int64_t at_ms, std::int64_t utc_ms, std::uint32_t period_ms, const Row& row);

  // The rows of the last hour or day before `now_ms` (steady), oldest first, with times since the epoch. The hour is
  // told by samples, and where those do not reach back so far (as they are nearer to each other than 5 s) by minutes
  // before them. A minute's mean bears the time of its end, the last one that of its last sample.
  std::vector<HistoryRing::Entry> read(Span span, std::int64_t now_ms) const;

  std::int64_t utc_ms(std::int64_t at_ms) const { return at_ms + utc_offset_ms_; }
  std::size_t bytes() const { return sizeof *this + fine_.heap_bytes() + coarse_.heap_bytes(); }

 private:
  struct Mean {
    float sum = 0;
    std::uint32_t count = 0;
  };
  Codes minute() const;

  HistoryRing fine_{720}, coarse_{1440};
  std::int64_t utc_offset_ms_ = 0;
  // The minute that is not over yet.
  std::array<Mean, kSeries> means_{};
  std::int64_t minute_end_ms_ = 0, minute_last_ms_ = 0;
  bool minute_open_ = false;
};

}  // namespace vireo::core
