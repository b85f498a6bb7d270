// The kernel's formats: one value to a file, lists of ranges, "key: value" lines.
#include "host/tree.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

namespace vireo::host {

namespace {

std::optional<std::uint64_t> leading_number(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return std::nullopt;
  text.remove_prefix(first);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

}  // namespace

std::string Tree::line(const std::string& inside) const {
  std::ifstream file(path(inside));
  std::string text;
  std::getline(file, text);
  return text;
}

std::optional<std::uint64_t> Tree::number(const std::string& inside) const { return leading_number(line(inside)); }

std::vector<std::string> Tree::lines(const std::string& inside) const {
  std::ifstream file(path(inside));
  std::vector<std::string> all;
  for (std::string text; std::getline(file, text);) all.push_back(text);
  return all;
}

std::vector<unsigned> Tree::list(const std::string& inside) const { return parse_list(line(inside)); }

std::vector<unsigned> Tree::numbered(const std::string& folder, const std::string& prefix) const {
  std::vector<unsigned> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path(folder), error)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    unsigned value = 0;
    const auto [end, bad] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), value);
    if (bad == std::errc() && end == name.data() + name.size()) found.push_back(value);
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool Tree::has_entries(const std::string& folder) const {
  std::error_code error;
  return std::filesystem::directory_iterator(path(folder), error) != std::filesystem::directory_iterator();
}

std::vector<unsigned> parse_list(const std::string& text) {
  std::vector<unsigned> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    unsigned first = 0;
    auto [after, error] = std::from_chars(at, end, first);
    if (error != std::errc()) break;
    unsigned last = first;
    if (after < end && *after == '-') after = std::from_chars(after + 1, end, last).ptr;
    for (unsigned n = first; n <= last; ++n) numbers.push_back(n);
    at = after < end && *after == ',' ? after + 1 : end;
  }
  return numbers;
}

std::string format_list(const std::vector<unsigned>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (!text.empty()) text += ",";
    text += std::to_string(numbers[i]);
    if (last > i) text += "-" + std::to_string(numbers[last]);
    i = last + 1;
  }
  return text;
}

std::optional<std::uint64_t> value_after(const std::vector<std::string>& lines, const std::string& key) {
  for (const auto& line : lines) {
    const auto at = line.find(key);
    if (at == std::string::npos) continue;
    const auto colon = line.find(':', at + key.size());
    if (colon != std::string::npos) return leading_number(std::string_view(line).substr(colon + 1));
  }
  return std::nullopt;
}

}  // namespace vireo::host
