// What a history keeps: values within their error, gaps as gaps, the hour and the day and nothing beyond, and how many
// bytes all of it takes when nothing can be compressed.
#include "core/stats/history.hpp"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cmath>
#include <deque>
#include <random>

#include "core/stats/rates.hpp"

namespace vireo::core {
namespace {

constexpr std::uint32_t kPeriodMs = 5'000;
constexpr std::int64_t kMinuteMs = 60'000, kHourMs = 3'600'000, kDayMs = 86'400'000;
// A moment at which a minute begins.
constexpr std::int64_t kNoonMs = 1'700'000'040'000;

Codes codes_of(Code code) {
  Codes out{};
  out.fill(code);
  return out;
}

Row row_of(std::optional<double> value) {
  Row out{};
  out.fill(value);
  return out;
}

TEST(Series, EachHasANameOfItsOwnThatIsFound) {
  for (std::size_t i = 0; i < kSeries; ++i) {
    const auto& info = series_table()[i];
    EXPECT_EQ(find_series(info.name), static_cast<Series>(i)) << info.name;
    EXPECT_FALSE(info.meaning.empty() || info.unit.empty());
  }
  EXPECT_EQ(info_of(Series::monitor).name, "monitor");
  EXPECT_EQ(find_series("cp"), std::nullopt);
  EXPECT_TRUE(series_names().starts_with("cpu, cpu-delay, "));
}

TEST(Codes, ValuesOfEverySizeAreTrueToTheErrorThatIsPromised) {
  std::mt19937_64 dice(7);
  for (const auto& series : series_table()) {
    const auto& scale = *series.scale;
    const double last = *decode(scale, kLastStep);
    std::uniform_real_distribution<double> exponent(std::log(scale.least), std::log(last));
    for (int i = 0; i < 2'000; ++i) {
      const double value = std::exp(exponent(dice));
      EXPECT_NEAR(*decode(scale, encode(scale, value)), value, value * kMostError) << series.name;
    }
    for (Code code = kZero; code <= kLastStep; ++code) EXPECT_EQ(encode(scale, decode(scale, code)), code);
    EXPECT_EQ(encode(scale, std::nullopt), kAbsent);
    EXPECT_EQ(decode(scale, encode(scale, 0)), 0);
    EXPECT_EQ(encode(scale, last * 1e9), kLastStep);
    EXPECT_EQ(encode(scale, scale.least * 0.4), kZero);
    EXPECT_EQ(encode(scale, scale.least * 0.6), kFirstStep);
    for (const double odd : {-1.0, std::nan(""), static_cast<double>(INFINITY)}) EXPECT_EQ(encode(scale, odd), kAbsent);
  }
  // The sizes that people give to guests are exact.
  const auto& size = *info_of(Series::memory).scale;
  for (const double mib : {1, 96, 128, 384, 512, 640, 1'024, 1'536, 10'240, 12'288})
    EXPECT_EQ(decode(size, encode(size, mib * (1 << 20))), mib * (1 << 20));
}

// Rows as guests have them: constant, slowly drifting, jumping, coming and going, random.
class RandomRows {
 public:
  explicit RandomRows(unsigned seed) : dice_(seed) {
    for (auto& kind : kinds_) kind = dice_() % 5;
  }
  Codes next() {
    for (std::size_t i = 0; i < kSeries; ++i) {
      auto& code = last_[i];
      if (kinds_[i] == 1) code = static_cast<Code>(std::clamp(code + static_cast<int>(dice_() % 7) - 3, 0, 1023));
      if (kinds_[i] == 2 && dice_() % 10 == 0) code = random();
      if (kinds_[i] == 3) code = dice_() % 3 == 0 ? kAbsent : static_cast<Code>(500 + dice_() % 8);
      if (kinds_[i] == 4) code = random();
    }
    return last_;
  }

 private:
  Code random() { return static_cast<Code>(dice_() % (kLastStep + 1)); }
  std::mt19937 dice_;
  std::array<unsigned, kSeries> kinds_{};
  Codes last_{};
};

TEST(Block, GivesBackWhatWasSealed) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    RandomRows source(seed);
    const unsigned count = seed % kRowsInBlock + 1;
    Rows rows;
    for (unsigned row = 0; row < count; ++row) rows[row] = PackedRow(source.next());
    const auto block = seal(rows, count);
    const auto back = unseal(block);
    for (unsigned row = 0; row < count; ++row) ASSERT_EQ(back[row].codes(), rows[row].codes()) << seed << " " << row;
  }
}

TEST(Block, IsSmallWhenLittleHappensAndNeverLargerThanThePlainCodes) {
  Rows rows;
  rows.fill(PackedRow(codes_of(400)));
  EXPECT_EQ(seal(rows, kRowsInBlock).size, (kSeries * 14 + 7) / 8);
  std::mt19937 dice(1);
  for (auto& row : rows) {
    Codes codes{};
    for (auto& code : codes) code = static_cast<Code>(dice() % (kLastStep + 1));
    row = PackedRow(codes);
  }
  EXPECT_EQ(seal(rows, kRowsInBlock).size, (kSeries * (4 + kRowsInBlock * kCodeBits) + 7) / 8);
}

using Entry = HistoryRing::Entry;

TEST(Ring, KeepsTheLastRowsAndForgetsTheOthers) {
  HistoryRing ring(720);
  EXPECT_TRUE(ring.empty());
  EXPECT_TRUE(ring.read().empty());
  RandomRows source(3);
  std::deque<Codes> all;
  for (int i = 0; i < 2'000; ++i) {
    all.push_back(source.next());
    ring.append(i * std::int64_t{kPeriodMs}, kPeriodMs, all.back());
    const auto entries = ring.read();
    // All until it is full; then at least 720, and a block more at most.
    const auto expected = i < 720 ? static_cast<std::size_t>(i) + 1 : 720 + (static_cast<std::size_t>(i) + 1) % 60;
    ASSERT_EQ(entries.size(), expected);
    ASSERT_EQ(ring.last_ms(), i * kPeriodMs);
    ASSERT_EQ(ring.first_ms(), entries.front().at_ms);
    if (i % 97 != 0) continue;
    for (std::size_t back = 1; back <= entries.size(); ++back) {
      ASSERT_EQ(entries[entries.size() - back].codes, all[all.size() - back]);
      ASSERT_EQ(entries[entries.size() - back].at_ms, (i + 1 - static_cast<std::int64_t>(back)) * kPeriodMs);
    }
  }
}

std::vector<std::pair<std::int64_t, Code>> told(const HistoryRing& ring) {
  std::vector<std::pair<std::int64_t, Code>> out;
  for (const auto& entry : ring.read()) out.emplace_back(entry.at_ms, entry.codes[0]);
  return out;
}

TEST(Ring, MissedRowsAreGaps) {
  HistoryRing ring(120);
  ring.append(0, 10, codes_of(5));
  ring.append(11, 10, codes_of(6));     // late is not missed
  ring.append(12, 10, codes_of(7));     // much too early
  ring.append(40, 10, codes_of(8));     // two are missed
  ring.append(5'000, 10, codes_of(9));  // many
  ring.append(5'010, 10, codes_of(10));
  const std::vector<std::pair<std::int64_t, Code>> expected{{0, 5},  {10, 6},       {20, kAbsent}, {30, kAbsent},
                                                            {40, 8}, {50, kAbsent}, {5'000, 9},    {5'010, 10}};
  EXPECT_EQ(told(ring), expected);
}

TEST(Ring, AnotherPeriodBeginsAnotherBlock) {
  HistoryRing ring(120);
  for (const std::int64_t at : {0, 10, 20}) ring.append(at, 10, codes_of(5));
  for (const std::int64_t at : {120, 220}) ring.append(at, 100, codes_of(6));
  ring.append(225, 5, codes_of(7));
  const std::vector<std::pair<std::int64_t, Code>> expected{{0, 5}, {10, 5}, {20, 5}, {120, 6}, {220, 6}, {225, 7}};
  EXPECT_EQ(told(ring), expected);
}

TEST(Ring, GapsCountAsRowsThatWereDue) {
  // However a guest comes and goes, what is kept reaches back as far.
  std::mt19937 dice(11);
  HistoryRing ring(720);
  std::int64_t at_ms = 0;
  for (int i = 0; i < 3'000; ++i) {
    at_ms += kPeriodMs * (dice() % 20 == 0 ? static_cast<std::int64_t>(dice() % 90) + 1 : 1);
    ring.append(at_ms, kPeriodMs, codes_of(5));
    if (at_ms > 720 * std::int64_t{kPeriodMs}) ASSERT_LE(ring.first_ms(), at_ms - 719 * std::int64_t{kPeriodMs});
  }
}

// A history that got `days` of samples at each period.
template <class NextRow>
History filled(double days, NextRow next) {
  History out;
  for (std::int64_t at = 0; at < static_cast<std::int64_t>(days * static_cast<double>(kDayMs)); at += kPeriodMs)
    out.append(at, kNoonMs + at, kPeriodMs, next());
  return out;
}

TEST(History, HasTheHourBySamplesAndTheDayByMinutes) {
  std::int64_t at_ms = 0;
  History history;
  // Each minute of the day has a value of its own, about which samples scatter.
  const auto value_of = [](std::int64_t ms) {
    const auto minute = ms / kMinuteMs;
    return 100.0 + static_cast<double>(minute);
  };
  for (; at_ms < kDayMs + kHourMs; at_ms += kPeriodMs)
    history.append(at_ms, kNoonMs + at_ms, kPeriodMs,
                   row_of(value_of(at_ms) + (at_ms / kPeriodMs % 2 == 0 ? 20 : -20)));
  at_ms -= kPeriodMs;

  const auto& scale = *info_of(Series::cpu).scale;
  const auto hour = history.read(History::Span::hour, at_ms);
  ASSERT_EQ(hour.size(), 720U);
  EXPECT_EQ(hour.back().at_ms, kNoonMs + at_ms);
  EXPECT_EQ(hour.front().at_ms, kNoonMs + at_ms - kHourMs + kPeriodMs);
  const auto day = history.read(History::Span::day, at_ms);
  ASSERT_EQ(day.size(), 1441U);  // and the minute that is not over
  for (std::size_t i = 0; i + 1 < day.size(); ++i) {
    ASSERT_EQ(day[i].at_ms % kMinuteMs, 0);
    const double mean = value_of(day[i].at_ms - kNoonMs - 1);
    ASSERT_NEAR(*decode(scale, day[i].codes[0]), mean, mean * kMostError);
  }
}

TEST(History, TheBeginningIsThereAtOnce) {
  History history;
  EXPECT_TRUE(history.read(History::Span::hour, 0).empty());
  history.append(1'000, kNoonMs + 1'000, kPeriodMs, row_of(7));
  for (const auto span : {History::Span::hour, History::Span::day}) {
    const auto entries = history.read(span, 2'000);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].at_ms, kNoonMs + 1'000);
  }
}

TEST(History, ShortPeriodsLeaveTheOlderPartOfTheHourToMinutes) {
  History history;
  std::int64_t at_ms = 0;
  for (; at_ms <= kHourMs * 2; at_ms += 500) history.append(at_ms, kNoonMs + at_ms, 500, row_of(3));
  const auto hour = history.read(History::Span::hour, at_ms);
  EXPECT_GE(hour.size(), 720U + 50);
  EXPECT_LE(hour.front().at_ms, kNoonMs + at_ms - kHourMs + kMinuteMs);
  for (std::size_t i = 1; i < hour.size(); ++i) {
    ASSERT_GT(hour[i].at_ms, hour[i - 1].at_ms);
    ASSERT_LE(hour[i].at_ms - hour[i - 1].at_ms, kMinuteMs);
    ASSERT_NE(hour[i].codes[0], kAbsent);
  }
}

TEST(History, LongPeriodsHaveNoGapsByMinutes) {
  History history;
  for (std::int64_t at_ms = 0; at_ms < kDayMs; at_ms += 150'000)
    history.append(at_ms, kNoonMs + at_ms, 150'000, row_of(3));
  const auto day = history.read(History::Span::day, kDayMs);
  ASSERT_EQ(day.size(), 575U);
  for (const auto& entry : day) ASSERT_NE(entry.codes[0], kAbsent);
}

TEST(History, ALongAbsenceIsAGapInBoth) {
  History history;
  std::int64_t at_ms = 0;
  for (; at_ms < 10 * kMinuteMs; at_ms += kPeriodMs) history.append(at_ms, kNoonMs + at_ms, kPeriodMs, row_of(3));
  at_ms += 20 * kMinuteMs;
  history.append(at_ms, kNoonMs + at_ms, kPeriodMs, row_of(4));
  for (const auto span : {History::Span::hour, History::Span::day}) {
    const auto entries = history.read(span, at_ms);
    ASSERT_EQ(entries[entries.size() - 2].codes[0], kAbsent);
    ASSERT_NE(entries[entries.size() - 3].codes[0], kAbsent);
    EXPECT_EQ(entries.back().at_ms, kNoonMs + at_ms);
  }
}

TEST(History, AClockThatIsSetChangesTimesAndLosesNothing) {
  History history;
  history.append(0, kNoonMs, kPeriodMs, row_of(3));
  history.append(5'000, kNoonMs + 5'000 + 300, kPeriodMs, row_of(3));  // slewed
  EXPECT_EQ(history.read(History::Span::hour, 5'000).front().at_ms, kNoonMs);
  history.append(10'000, kNoonMs - kHourMs, kPeriodMs, row_of(3));  // set back
  const auto entries = history.read(History::Span::hour, 10'000);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries.back().at_ms, kNoonMs - kHourMs);
  EXPECT_EQ(entries.front().at_ms, kNoonMs - kHourMs - 10'000);
}

TEST(History, TakesLessThan64KiBWhateverHappens) {
  std::mt19937_64 dice(5);
  const auto worst = [&dice] {
    Row row{};
    for (std::size_t i = 0; i < kSeries; ++i)
      row[i] = decode(*series_table()[i].scale, static_cast<Code>(kFirstStep + dice() % (kLastStep - 1)));
    return row;
  };
  // Each minute's mean would be alike; what is random there, too, is a period of a minute.
  History history;
  std::int64_t at_ms = 0;
  for (int i = 0; i < 3'000; ++i, at_ms += kMinuteMs) history.append(at_ms, kNoonMs + at_ms, kMinuteMs, worst());
  for (int i = 0; i < 779; ++i, at_ms += kPeriodMs) history.append(at_ms, kNoonMs + at_ms, kPeriodMs, worst());
  // With what else a guest's history holds, and what its owners are counted by.
  EXPECT_LT(history.bytes() + sizeof(Rates) + 32, kMostHistoryBytes);
  EXPECT_GT(history.bytes(), 58'000U) << "this was not the worst case";
  RecordProperty("bytes_worst", static_cast<int>(history.bytes()));

  const auto idle = filled(1.1, [] { return row_of(3); });
  RecordProperty("bytes_idle", static_cast<int>(idle.bytes()));
  EXPECT_LT(idle.bytes(), 10'000U);
}

TEST(History, BytesAreWhatTheAllocatorGives) {
  const auto in_use = [] { return ::mallinfo2().uordblks; };
  const auto before_any = in_use();
  void* volatile probe = ::malloc(50'000);
  const bool counts = in_use() - before_any >= 50'000;
  ::free(probe);
  if (!counts) GTEST_SKIP() << "this allocator does not count";
  std::mt19937_64 dice(5);
  constexpr std::size_t count = 4;
  std::vector<std::unique_ptr<History>> all(count);
  std::size_t told = 0;
  const auto before = in_use();
  for (auto& history : all) {
    history = std::make_unique<History>();
    for (std::int64_t at_ms = 0; at_ms < 1'500 * kMinuteMs; at_ms += kMinuteMs)
      history->append(at_ms, kNoonMs + at_ms, kMinuteMs, row_of(static_cast<double>(dice() % 100'000)));
    told += history->bytes();
  }
  const auto taken = in_use() - before;
  EXPECT_LT(taken / count, kMostHistoryBytes);
  EXPECT_NEAR(static_cast<double>(taken), static_cast<double>(told), static_cast<double>(told) / 50);
}

}  // namespace
}  // namespace vireo::core
