// Medians, the table and its JSON. See report.hpp.
#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <thread>

namespace vireo::bench {

std::optional<double> Series::median_us() const {
  if (samples_us_.empty()) return std::nullopt;
  auto sorted = samples_us_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

std::optional<double> Series::mean_us() const {
  if (samples_us_.empty()) return std::nullopt;
  return std::accumulate(samples_us_.begin(), samples_us_.end(), 0.0) / static_cast<double>(samples_us_.size());
}

std::optional<double> Series::quantile_us(double part) const {
  if (samples_us_.empty()) return std::nullopt;
  auto sorted = samples_us_;
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(rank, 1, sorted.size()) - 1);
  std::nth_element(sorted.begin(), at, sorted.end());
  return *at;
}

std::string duration_text(std::optional<double> us) {
  if (!us) return "-";
  if (*us < 10000) return fmt::format("{:.1f} us", *us);
  return fmt::format("{:.1f} ms", *us / 1000);
}

std::string ratio_text(std::optional<double> a, std::optional<double> b) {
  return a && b && *b > 0 ? fmt::format("{:.2f}", *a / *b) : "-";
}

std::string machine_line() {
  double load[3] = {};
  if (::getloadavg(load, 3) != 3) load[0] = -1;
  return fmt::format("{} processors, load average {:.2f} {:.2f} {:.2f}", std::thread::hardware_concurrency(), load[0],
                     load[1], load[2]);
}

std::string Report::table() const {
  std::string out = fmt::format("{:<28}", "median of");
  for (const auto& server : servers) out += fmt::format("{:>12}", server);
  for (std::size_t a = 0; a < servers.size(); ++a)
    for (std::size_t b = a + 1; b < servers.size(); ++b)
      out += fmt::format("{:>20}", fmt::format("{}/{}", servers[a], servers[b]));
  out += fmt::format("{:>9}\n", "samples");
  for (const auto& row : rows) {
    out += fmt::format("{:<28}", row.operation);
    for (const auto& median : row.median_us) out += fmt::format("{:>12}", duration_text(median));
    for (std::size_t a = 0; a < servers.size(); ++a)
      for (std::size_t b = a + 1; b < servers.size(); ++b)
        out += fmt::format("{:>20}", ratio_text(row.median_us[a], row.median_us[b]));
    out += fmt::format("{:>9}\n", *std::max_element(row.samples.begin(), row.samples.end()));
  }
  return out;
}

Result<void> Report::write_json(const std::string& path) const {
  // Names of operations and servers are ours and need no escaping.
  std::string out = "{\"unit\": \"us\", \"rows\": [";
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out += fmt::format("{}\n  {{\"operation\": \"{}\"", r ? "," : "", rows[r].operation);
    for (std::size_t s = 0; s < servers.size(); ++s) {
      const auto& median = rows[r].median_us[s];
      out += fmt::format(", \"{}\": {}", servers[s], median ? fmt::format("{:.2f}", *median) : "null");
    }
    out += "}";
  }
  out += "\n]}\n";
  return write_file(path, out);
}

Result<void> write_file(const std::string& path, std::string_view text) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (!file) return fail_errno(errno, fmt::format("cannot write '{}'", path));
  const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (std::fclose(file) != 0 || !written) return fail_errno(errno, fmt::format("cannot write '{}'", path));
  return {};
}

}  // namespace vireo::bench
