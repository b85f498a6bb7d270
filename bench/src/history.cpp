// What a guest's history costs: bytes when little happens and when nothing can be compressed, and microseconds to add a
// sample, to seal a block, to copy it for a reader and to read it. With a file of one sample in each line (21 numbers,
// or
// "-" for what is not known, as `vireo history` tells them), the bytes of a day that is made of those.
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include "core/stats/guest_history.hpp"

namespace {

using namespace vireo::core;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kPeriodMs = 5'000, kMinuteMs = 60'000, kBeginMs = 1'700'000'040'000;

template <class Work>
double us_of(Work work) {
  const auto began = Clock::now();
  work();
  return std::chrono::duration<double, std::micro>(Clock::now() - began).count();
}

// All that is kept, full to the brim: each minute has a value of its own, as bad as a mean can be.
template <class Next>
History full_of(Next next) {
  History out;
  std::int64_t at_ms = 0;
  for (int i = 0; i < 1'500; ++i, at_ms += kMinuteMs) out.append(at_ms, kBeginMs + at_ms, kMinuteMs, next());
  for (int i = 0; i < 779; ++i, at_ms += kPeriodMs) out.append(at_ms, kBeginMs + at_ms, kPeriodMs, next());
  return out;
}

template <class Next>
void report(const char* what, Next next) {
  auto history = full_of(next);
  constexpr int rounds = 60'000, readings = 20;
  std::vector<double> took_us;
  for (int i = 0; i < rounds; ++i) {
    const auto row = next();
    const auto at_ms = 4'000 * kMinuteMs + i * kPeriodMs;
    took_us.push_back(us_of([&] { history.append(at_ms, kBeginMs + at_ms, kPeriodMs, row); }));
  }
  std::ranges::sort(took_us);
  std::size_t sum = 0;
  history = full_of(next);
  const auto bytes = history.bytes() + sizeof(GuestHistory) - sizeof(History);
  const auto copy_us = us_of([&] {
    for (int i = 0; i < readings; ++i) sum += History(history).bytes();
  });
  const auto read_us = us_of([&] {
    for (int i = 0; i < readings; ++i) sum += history.read(History::Span::day, 1'500 * kMinuteMs).size();
  });
  std::cout << what << ": " << bytes << " bytes; a sample: median " << took_us[rounds / 2] << " us, 99 of 100 "
            << took_us[rounds / 100 * 99] << " us; a copy " << copy_us / readings << " us, reading a day "
            << read_us / readings << " us" << (sum == 0 ? "!" : "") << "\n";
}

std::vector<Row> rows_of(const char* file) {
  std::vector<Row> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    Row row{};
    std::string word;
    for (auto& value : row)
      if (words >> word && word != "-") value = std::stod(word);
    out.push_back(row);
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  std::mt19937_64 dice(1);
  report("the same all day", [] {
    Row row{};
    row.fill(3);
    return row;
  });
  report("random", [&dice] {
    Row row{};
    for (std::size_t i = 0; i < kSeries; ++i)
      row[i] = decode(*series_table()[i].scale, static_cast<Code>(kFirstStep + dice() % (kLastStep - 1)));
    return row;
  });
  for (int i = 1; i < argc; ++i) {
    const auto rows = rows_of(argv[i]);
    if (rows.empty()) return 1;
    report(argv[i], [&rows, at = std::size_t{0}]() mutable { return rows[at++ % rows.size()]; });
  }
  return 0;
}
