// Reading the kernel's small files below /proc and /sys. The root may be another folder, so that tests can show other
// hosts than the one they run on. Blocks; used when the daemon starts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vireo::host {

class Tree {
 public:
  explicit Tree(std::string root = "") : root_(std::move(root)) {}

  std::string path(const std::string& inside) const { return root_ + inside; }
  // The first line without its end; empty if there is no such file.
  std::string line(const std::string& inside) const;
  std::optional<std::uint64_t> number(const std::string& inside) const;
  std::vector<std::string> lines(const std::string& inside) const;
  // The kernel's lists: "0-3,8" → 0 1 2 3 8.
  std::vector<unsigned> list(const std::string& inside) const;
  // Numbers that follow `prefix` in the folder's entries, ascending: "node" in /sys/devices/system/node → 0 1.
  std::vector<unsigned> numbered(const std::string& folder, const std::string& prefix) const;
  bool has_entries(const std::string& folder) const;

 private:
  std::string root_;
};

std::vector<unsigned> parse_list(const std::string& text);
std::string format_list(const std::vector<unsigned>& numbers);  // ascending numbers
// "MemTotal:  5466324 kB" and its like: the value behind the key among such lines.
std::optional<std::uint64_t> value_after(const std::vector<std::string>& lines, const std::string& key);

}  // namespace vireo::host
