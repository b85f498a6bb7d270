// What a measurement ends in: medians by operation and by server, as a table for people and as JSON for programs.
// Touches standard output and the one file that it is told to write.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace vireo::bench {

using Clock = std::chrono::steady_clock;

// Durations of one operation on one server. Where one figure stands for all, it is the median: a neighbour's load on
// the machine lengthens some samples, and a mean would take them in.
class Series {
 public:
  void add(Clock::duration d) { samples_us_.push_back(std::chrono::duration<double, std::micro>(d).count()); }
  std::size_t size() const { return samples_us_.size(); }
  // Empty without samples.
  std::optional<double> median_us() const;
  std::optional<double> mean_us() const;
  // The least sample that at least this part of all (0 … 1) do not exceed: of fewer than 100 samples, 0.99 is the
  // worst.
  std::optional<double> quantile_us(double part) const;
  void add_all(const Series& other) {
    samples_us_.insert(samples_us_.end(), other.samples_us_.begin(), other.samples_us_.end());
  }

 private:
  std::vector<double> samples_us_;
};

// For tables: "-" where there is nothing to say.
std::string duration_text(std::optional<double> us);
std::string ratio_text(std::optional<double> a, std::optional<double> b);
// A line for people about the machine at this moment: processors and load averages.
std::string machine_line();

// Error: VIR_ERR_SYSTEM_ERROR naming the file.
Result<void> write_file(const std::string& path, std::string_view text);

struct Row {
  std::string operation;
  std::vector<std::optional<double>> median_us;  // one for each server, in the report's order
  std::vector<std::size_t> samples;
};

struct Report {
  std::vector<std::string> servers;
  std::vector<Row> rows;

  // Medians, then the ratio of each pair of servers, the earlier one divided by the later one.
  std::string table() const;
  Result<void> write_json(const std::string& path) const;
};

}  // namespace vireo::bench
