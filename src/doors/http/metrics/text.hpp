// The two texts that Prometheus reads: its own format 0.0.4 and OpenMetrics 1.0. They tell the same; they differ in
// what heads a family (the name of a counter, the kinds that there are, the unit) and in the last line. Pure: a writer
// appends to a string.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/histogram.hpp"

namespace vireo::doors::http {

enum class Format { prometheus, openmetrics };

// Which of them a client wants that sends this Accept header; Prometheus' own unless OpenMetrics is asked for.
Format wanted_format(std::string_view accept);
std::string_view content_type(Format format);

enum class Kind {
  gauge,
  counter,    // samples are NAME_total
  summary,    // samples are NAME_count and NAME_sum; no quantiles are told
  histogram,  // NAME_bucket, NAME_count, NAME_sum
  info,       // sample is NAME_info, always 1: what matters is in the labels
  unknown,
};

// What heads the samples of one name.
struct Family {
  std::string_view name;  // without "_total" and "_info"
  Kind kind = Kind::gauge;
  std::string_view unit;  // with which the name ends; empty: none
  std::string_view help;
};

// A value as text: whole numbers exactly, other ones as short as they can be read back.
struct Number {
  Number(std::uint64_t value);  // NOLINT(google-explicit-constructor): they are numbers
  Number(std::int64_t value);
  Number(unsigned value) : Number(std::uint64_t{value}) {}
  Number(int value) : Number(std::int64_t{value}) {}
  Number(bool value) : Number(std::uint64_t{value}) {}
  Number(double value);

  std::string_view text() const { return {digits, size}; }

 protected:
  Number() = default;
  char digits[40];
  std::size_t size = 0;
};

// Seconds, exactly as many as these nanoseconds: "1.5", "0.000000001".
struct Seconds : Number {
  explicit Seconds(std::uint64_t ns);
  explicit Seconds(std::chrono::nanoseconds time)
      : Seconds(static_cast<std::uint64_t>(time.count() > 0 ? time.count() : 0)) {}
};

// NAME="value", escaped; labels are joined by commas.
std::string label(std::string_view name, std::string_view value);
void add_label(std::string& labels, std::string_view name, std::string_view value);

class MetricsText {
 public:
  explicit MetricsText(Format format) : format_(format) {}

  // What follows belongs to this family, whose head is written before its first sample, and not at all without one. A
  // family is begun once.
  void begin(const Family& family);

  // `labels`: as label() makes them, or empty. Of a gauge, a counter, an info (which is 1) or an unknown.
  void add(std::string_view labels, const Number& value);
  // Of a summary.
  void add(std::string_view labels, std::uint64_t count, const Number& sum);
  // Of a histogram.
  void add(std::string_view labels, const Histogram::Figures& figures);

  // The whole text; the writer is used up.
  std::string finish();

 private:
  void head();
  void sample(std::string_view suffix, std::string_view labels, std::string_view more, std::string_view value);

  const Format format_;
  Family family_;
  bool headed_ = false;
  std::string out_;
};

}  // namespace vireo::doors::http
