// Bits, and choosing how each series is stored.
#include "core/stats/history_block.hpp"

#include <algorithm>

namespace vireo::core {
namespace {

// How a series is stored, in 4 bits: once, as it is, or as differences with the parameter `kind` - kRice.
constexpr unsigned kKindBits = 4, kConstant = 0, kPlain = 1, kRice = 2, kRiceParameters = 8;
// A difference whose quotient is this large is stored as the whole code instead.
constexpr unsigned kMostQuotient = 8;
constexpr std::size_t kMostBits = kSeries * (kKindBits + kRowsInBlock * kCodeBits);
constexpr unsigned kByte = 8;

class BitWriter {
 public:
  void put(unsigned value, unsigned bits) {
    pending_ |= std::uint64_t{value} << held_;
    for (held_ += bits; held_ >= kByte; held_ -= kByte) {
      bytes_[size_++] = static_cast<std::byte>(pending_);
      pending_ >>= kByte;
    }
  }
  void flush() {
    if (held_ > 0) put(0, kByte - held_);
  }
  const std::byte* data() const { return bytes_.data(); }
  std::size_t size() const { return size_; }

 private:
  std::array<std::byte, kMostBits / kByte + 1> bytes_;
  std::size_t size_ = 0;
  std::uint64_t pending_ = 0;
  unsigned held_ = 0;
};

class BitReader {
 public:
  BitReader(const std::byte* bytes, std::size_t size) : next_(bytes), end_(bytes + size) {}
  unsigned take(unsigned bits) {
    for (; held_ < bits; held_ += kByte)
      pending_ |= std::uint64_t{next_ == end_ ? 0U : std::to_integer<unsigned>(*next_++)} << held_;
    const auto out = static_cast<unsigned>(pending_ & ((1U << bits) - 1));
    pending_ >>= bits;
    held_ -= bits;
    return out;
  }

 private:
  const std::byte* next_;
  const std::byte* end_;
  std::uint64_t pending_ = 0;
  unsigned held_ = 0;
};

// Small differences of either sign as small numbers: 0, -1, 1, -2, 2 …
unsigned folded(int difference) {
  return difference < 0 ? static_cast<unsigned>(-difference) * 2 - 1 : static_cast<unsigned>(difference) * 2;
}
int unfolded(unsigned number) {
  return number % 2 == 1 ? -static_cast<int>((number + 1) / 2) : static_cast<int>(number / 2);
}

using Column = std::array<Code, kRowsInBlock>;

unsigned best_kind(const Column& column, unsigned count) {
  if (std::all_of(column.begin(), column.begin() + count, [&](Code code) { return code == column[0]; }))
    return kConstant;
  std::array<unsigned, kRiceParameters> bits{};
  for (unsigned row = 1; row < count; ++row) {
    const unsigned number = folded(column[row] - column[row - 1]);
    for (unsigned k = 0; k < kRiceParameters; ++k) {
      const unsigned quotient = number >> k;
      bits[k] += quotient < kMostQuotient ? quotient + 1 + k : kMostQuotient + kCodeBits;
    }
  }
  const auto* const shortest = std::ranges::min_element(bits);
  return *shortest < (count - 1) * kCodeBits ? kRice + static_cast<unsigned>(shortest - bits.begin()) : kPlain;
}

void put_difference(BitWriter& out, Code before, Code code, unsigned k) {
  const unsigned number = folded(code - before);
  const unsigned quotient = number >> k;
  if (quotient >= kMostQuotient) {
    out.put((1U << kMostQuotient) - 1, kMostQuotient);
    out.put(code, kCodeBits);
  } else {
    out.put((1U << quotient) - 1, quotient + 1);
    out.put(number & ((1U << k) - 1), k);
  }
}

Code take_difference(BitReader& in, Code before, unsigned k) {
  unsigned quotient = 0;
  while (quotient < kMostQuotient && in.take(1) == 1) ++quotient;
  if (quotient == kMostQuotient) return static_cast<Code>(in.take(kCodeBits));
  return static_cast<Code>(before + unfolded(quotient << k | in.take(k)));
}

}  // namespace

SealedBlock seal(const Rows& rows, unsigned count) {
  BitWriter out;
  for (std::size_t series = 0; series < kSeries; ++series) {
    Column column{};
    for (unsigned row = 0; row < count; ++row) column[row] = rows[row].code(series);
    const unsigned kind = best_kind(column, count);
    out.put(kind, kKindBits);
    out.put(column[0], kCodeBits);
    for (unsigned row = 1; kind != kConstant && row < count; ++row) {
      if (kind == kPlain)
        out.put(column[row], kCodeBits);
      else
        put_difference(out, column[row - 1], column[row], kind - kRice);
    }
  }
  out.flush();
  auto bytes = std::make_shared_for_overwrite<std::byte[]>(out.size());
  std::copy_n(out.data(), out.size(), bytes.get());
  return {.bytes = std::move(bytes),
          .size = static_cast<std::uint16_t>(out.size()),
          .rows = static_cast<std::uint16_t>(count)};
}

Rows unseal(const SealedBlock& block) {
  std::array<Codes, kRowsInBlock> codes{};
  BitReader in(block.bytes.get(), block.size);
  for (std::size_t series = 0; series < kSeries; ++series) {
    const unsigned kind = in.take(kKindBits);
    codes[0][series] = static_cast<Code>(in.take(kCodeBits));
    for (unsigned row = 1; row < block.rows; ++row) {
      const Code before = codes[row - 1][series];
      codes[row][series] = kind == kConstant ? before
                           : kind == kPlain  ? static_cast<Code>(in.take(kCodeBits))
                                             : take_difference(in, before, kind - kRice);
    }
  }
  Rows rows;
  for (unsigned row = 0; row < block.rows; ++row) rows[row] = PackedRow(codes[row]);
  return rows;
}

}  // namespace vireo::core
