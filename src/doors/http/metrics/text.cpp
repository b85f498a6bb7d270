// Names, escapes and digits.
#include "doors/http/metrics/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

namespace vireo::doors::http {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(at);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// One kind of text that a client takes, and how gladly (0 to 1). None: not of this type and version.
std::optional<double> wish(std::string_view range, std::string_view type, std::string_view version) {
  const auto parts = split(range, ';');
  if (parts.front() != type) return std::nullopt;
  double gladly = 1;
  for (const auto part : parts) {
    if (part.starts_with("version=") && part.substr(8) != version) return std::nullopt;
    if (part.starts_with("q="))
      if (std::from_chars(part.data() + 2, part.data() + part.size(), gladly).ec != std::errc()) gladly = 0;
  }
  return gladly;
}

std::string_view word_of(Kind kind, Format format) {
  switch (kind) {
    case Kind::gauge:
      return "gauge";
    case Kind::counter:
      return "counter";
    case Kind::summary:
      return "summary";
    case Kind::histogram:
      return "histogram";
    case Kind::info:
      return format == Format::openmetrics ? "info" : "gauge";
    case Kind::unknown:
      break;
  }
  return format == Format::openmetrics ? "unknown" : "untyped";
}

// What a sample's name has beyond its family's.
std::string_view suffix_of(Kind kind) {
  if (kind == Kind::counter) return "_total";
  return kind == Kind::info ? "_info" : "";
}

void add_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (c == '"' && quotes)) out += '\\';
    out += c;
  }
}

}  // namespace

Format wanted_format(std::string_view accept) {
  double openmetrics = 0, plain = 0;
  for (const auto range : split(accept, ',')) {
    openmetrics = std::max(openmetrics, wish(range, "application/openmetrics-text", "1.0.0").value_or(0));
    plain = std::max(plain, wish(range, "text/plain", "0.0.4").value_or(0));
  }
  return openmetrics > 0 && openmetrics >= plain ? Format::openmetrics : Format::prometheus;
}

std::string_view content_type(Format format) {
  return format == Format::openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                       : "text/plain; version=0.0.4; charset=utf-8";
}

Number::Number(std::uint64_t value)
    : size(static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, value).ptr - digits)) {}

Number::Number(std::int64_t value)
    : size(static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, value).ptr - digits)) {}

Number::Number(double value) {
  if (!std::isfinite(value)) {
    const std::string_view word = std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
    size = word.copy(digits, sizeof digits);
    return;
  }
  size = static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, value).ptr - digits);
}

Seconds::Seconds(std::uint64_t ns) {
  constexpr std::uint64_t second = 1'000'000'000;
  char* at = std::to_chars(digits, digits + sizeof digits, ns / second).ptr;
  if (auto rest = ns % second; rest != 0) {
    *at++ = '.';
    for (auto place = second / 10; rest != 0; place /= 10) {
      *at++ = static_cast<char>('0' + (rest / place));
      rest %= place;
    }
  }
  size = static_cast<std::size_t>(at - digits);
}

std::string label(std::string_view name, std::string_view value) {
  std::string out;
  add_label(out, name, value);
  return out;
}

void add_label(std::string& labels, std::string_view name, std::string_view value) {
  if (!labels.empty()) labels += ',';
  labels += name;
  labels += "=\"";
  add_escaped(labels, value, true);
  labels += '"';
}

void MetricsText::begin(const Family& family) {
  family_ = family;
  headed_ = false;
}

void MetricsText::head() {
  headed_ = true;
  const auto line = [this](std::string_view what) {
    out_ += "# ";
    out_ += what;
    out_ += ' ';
    out_ += family_.name;
    // OpenMetrics heads a family by its own name, the older format by that of its samples.
    if (format_ == Format::prometheus) out_ += suffix_of(family_.kind);
    out_ += ' ';
  };
  line("HELP");
  add_escaped(out_, family_.help, format_ == Format::openmetrics);
  out_ += '\n';
  line("TYPE");
  out_ += word_of(family_.kind, format_);
  out_ += '\n';
  if (format_ == Format::openmetrics && !family_.unit.empty()) {
    line("UNIT");
    out_ += family_.unit;
    out_ += '\n';
  }
}

void MetricsText::sample(std::string_view suffix, std::string_view labels, std::string_view more,
                         std::string_view value) {
  if (!headed_) head();
  out_ += family_.name;
  out_ += suffix;
  if (!labels.empty() || !more.empty()) {
    out_ += '{';
    out_ += labels;
    if (!labels.empty() && !more.empty()) out_ += ',';
    out_ += more;
    out_ += '}';
  }
  out_ += ' ';
  out_ += value;
  out_ += '\n';
}

void MetricsText::add(std::string_view labels, const Number& value) {
  sample(suffix_of(family_.kind), labels, "", value.text());
}

void MetricsText::add(std::string_view labels, std::uint64_t count, const Number& sum) {
  sample("_count", labels, "", Number(count).text());
  sample("_sum", labels, "", sum.text());
}

void MetricsText::add(std::string_view labels, const Histogram::Figures& figures) {
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < figures.in_bucket.size(); ++i) {
    so_far += figures.in_bucket[i];
    const auto bound = i < Histogram::bounds.size() ? Histogram::bounds[i].seconds : "+Inf";
    sample("_bucket", labels, label("le", bound), Number(so_far).text());
  }
  add(labels, so_far, Seconds(figures.total_ns));
}

std::string MetricsText::finish() {
  if (format_ == Format::openmetrics) out_ += "# EOF\n";
  return std::move(out_);
}

}  // namespace vireo::doors::http
