// Sixty rows of codes as few bytes. Consecutive values of a series are close to each other, so a series is stored as
// differences of variable length (Rice codes, with the parameter that suits it best), or as one code where it never
// changes, or as it is where that is shorter: random data take 10 bits for each value and 4 for each series, and never
// more. A sealed block never changes, so a reader's copy of a history shares it. Pure.
#pragma once

#include <cstddef>
#include <memory>

#include "core/stats/history_series.hpp"

namespace vireo::core {

inline constexpr unsigned kRowsInBlock = 60;

// A row in 28 bytes: three codes in each word.
class PackedRow {
 public:
  PackedRow() = default;
  explicit PackedRow(const Codes& codes) {
    for (std::size_t i = 0; i < kSeries; ++i)
      words_[i / kInWord] |= std::uint32_t{codes[i]} << (i % kInWord * kCodeBits);
  }
  Code code(std::size_t series) const {
    return static_cast<Code>(words_[series / kInWord] >> (series % kInWord * kCodeBits) & kLastStep);
  }
  Codes codes() const {
    Codes out{};
    for (std::size_t i = 0; i < kSeries; ++i) out[i] = code(i);
    return out;
  }

 private:
  static constexpr std::size_t kInWord = 3;
  std::array<std::uint32_t, (kSeries + kInWord - 1) / kInWord> words_{};
};

using Rows = std::array<PackedRow, kRowsInBlock>;

struct SealedBlock {
  std::shared_ptr<const std::byte[]> bytes;
  std::int64_t first_ms = 0;    // when the first row was true
  std::uint32_t length_ms = 0;  // from then until the last row; rows lie evenly between
  std::uint16_t size = 0, rows = 0;
};

// `count` (1 to 60) rows; the times are the caller's to fill in.
SealedBlock seal(const Rows& rows, unsigned count);
Rows unseal(const SealedBlock& block);

}  // namespace vireo::core
