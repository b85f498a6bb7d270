// Reading and parsing.
#include "host/proc_text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/fd.hpp"

namespace vireo::host {
namespace {

// The next word, taken off the text.
std::string_view word(std::string_view& text) {
  const auto begin = text.find_first_not_of(" \n");
  if (begin == std::string_view::npos) return text = {};
  text.remove_prefix(begin);
  const auto taken = text.substr(0, text.find_first_of(" \n"));
  text.remove_prefix(taken.size());
  return taken;
}

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string read_small(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return {};
  std::array<char, 4096> text;
  const auto length = ::read(file.get(), text.data(), text.size());
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : std::string();
}

std::optional<ProcStat> parse_stat(std::string_view text) {
  // The program's name, in brackets, may hold anything: the fields are counted from behind it.
  const auto bracket = text.rfind(')');
  if (bracket == std::string_view::npos) return std::nullopt;
  text.remove_prefix(bracket + 1);
  constexpr int state = 3, user_time = 14, system_time = 15, processor = 39;
  ProcStat out;
  for (int field = state; field <= processor; ++field) {
    const auto value = word(text);
    if (value.empty() && field <= system_time) return std::nullopt;
    if (value.empty()) break;
    if (field == state) out.state = value.front();
    if (field == user_time) out.user_ticks = number_in<std::uint64_t>(value).value_or(0);
    if (field == system_time) out.system_ticks = number_in<std::uint64_t>(value).value_or(0);
    if (field == processor) out.processor = number_in<int>(value).value_or(-1);
  }
  return out;
}

std::optional<SchedStat> parse_schedstat(std::string_view text) {
  const auto run = number_in<std::uint64_t>(word(text));
  const auto delay = number_in<std::uint64_t>(word(text));
  if (!run || !delay) return std::nullopt;
  return SchedStat{.run_ns = *run, .delay_ns = *delay};
}

std::optional<std::uint64_t> parse_wait_sum(std::string_view text) {
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    // Older kernels name what it belongs to.
    for (const std::string_view owner : {"se.", "statistics."})
      if (line.starts_with(owner)) line.remove_prefix(owner.size());
    if (word(line) != "wait_sum" || word(line) != ":") continue;
    // Milliseconds, and behind the point the rest of the nanoseconds in six digits.
    const auto value = word(line);
    const auto point = value.find('.');
    if (point == std::string_view::npos || value.size() - point - 1 != 6) return std::nullopt;
    const auto ms = number_in<std::uint64_t>(value.substr(0, point));
    const auto ns = number_in<std::uint64_t>(value.substr(point + 1));
    if (!ms || !ns) return std::nullopt;
    return *ms * 1'000'000 + *ns;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> first_number(std::string_view text) { return number_in<std::uint64_t>(word(text)); }

std::optional<std::uint64_t> second_number(std::string_view text) {
  word(text);
  return number_in<std::uint64_t>(word(text));
}

std::optional<unsigned> vcpu_of_thread(std::string_view name) {
  constexpr std::string_view prefix = "CPU ";
  const auto slash = name.find('/');
  if (!name.starts_with(prefix) || slash == std::string_view::npos) return std::nullopt;
  return number_in<unsigned>(name.substr(prefix.size(), slash - prefix.size()));
}

}  // namespace vireo::host
