// Reading and parsing.
#include "host/proc_text.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
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
std::optional<Number> number_in(std::string_view text, int base = 10) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Calls on files whose first argument is the file's descriptor.
constexpr std::array<long, 24> kAboutDescriptor{
    SYS_read,      SYS_pread64,  SYS_readv,    SYS_preadv, SYS_preadv2,   SYS_write,           SYS_pwrite64,
    SYS_writev,    SYS_pwritev,  SYS_pwritev2, SYS_fsync,  SYS_fdatasync, SYS_sync_file_range, SYS_fallocate,
    SYS_ftruncate, SYS_lseek,    SYS_fstat,    SYS_flock,  SYS_fcntl,     SYS_ioctl,           SYS_close,
    SYS_syncfs,    SYS_sendfile, SYS_fgetxattr};

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
  ProcStat out;
  if (const auto opening = text.find('('); opening < bracket)
    out.name = text.substr(opening + 1, bracket - opening - 1);
  text.remove_prefix(bracket + 1);
  constexpr int state = 3, user_time = 14, system_time = 15, resident = 24, processor = 39;
  for (int field = state; field <= processor; ++field) {
    const auto value = word(text);
    if (value.empty() && field <= system_time) return std::nullopt;
    if (value.empty()) break;
    if (field == state) out.state = value.front();
    if (field == user_time) out.user_ticks = number_in<std::uint64_t>(value).value_or(0);
    if (field == system_time) out.system_ticks = number_in<std::uint64_t>(value).value_or(0);
    if (field == resident) out.resident_pages = number_in<std::uint64_t>(value).value_or(0);
    if (field == processor) out.processor = number_in<int>(value).value_or(-1);
  }
  return out;
}

std::optional<SchedStat> parse_schedstat(std::string_view text) {
  const auto run = number_in<std::uint64_t>(word(text));
  const auto delay = number_in<std::uint64_t>(word(text));
  if (!run || !delay) return std::nullopt;
  return SchedStat{.run_ns = *run, .delay_ns = *delay, .turns = number_in<std::uint64_t>(word(text)).value_or(0)};
}

std::optional<int> descriptor_in_call(std::string_view text) {
  // "17 0xb 0x7f55 …"; "running"; "-1 0x… 0x…" for who sleeps outside a call.
  const auto call = number_in<long>(word(text));
  auto argument = word(text);
  if (!call || std::ranges::find(kAboutDescriptor, *call) == kAboutDescriptor.end() || !argument.starts_with("0x"))
    return std::nullopt;
  argument.remove_prefix(2);
  return number_in<int>(argument, 16);
}

std::string innermost_function(std::string_view text) {
  // "[<0>] io_schedule+0x12/0x40"
  word(text);
  const auto frame = word(text);
  return std::string(frame.substr(0, frame.find('+')));
}

bool waits_for_fuse(std::string_view function) {
  return function.starts_with("request_wait_answer") || function.starts_with("fuse_");
}

std::string unified_group(std::string_view text) {
  constexpr std::string_view prefix = "0::";
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    if (line.starts_with(prefix)) return std::string(line.substr(prefix.size()));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return {};
}

std::optional<std::uint64_t> stall_us(std::string_view text) {
  // "some avg10=0.00 avg60=0.00 avg300=0.00 total=5016191"
  constexpr std::string_view total = "total=";
  const auto line = text.substr(0, text.find('\n'));
  const auto at = line.find(total);
  if (!line.starts_with("some ") || at == std::string_view::npos) return std::nullopt;
  return first_number(line.substr(at + total.size()));
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

std::optional<ports::CpuTimes> parse_cpu_times(const std::string& line, std::string_view cpu) {
  std::string_view rest = line;
  if (word(rest) != cpu) return std::nullopt;
  // user, nice, system, idle, iowait, irq, softirq (proc(5)); old kernels have fewer.
  std::array<std::uint64_t, 7> ticks{};
  for (auto& each : ticks) each = number_in<std::uint64_t>(word(rest)).value_or(0);
  static const auto ns_per_tick = 1'000'000'000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const auto [user, nice, system, idle, iowait, irq, softirq] = ticks;
  return ports::CpuTimes{.kernel_ns = (system + irq + softirq) * ns_per_tick,
                         .user_ns = (user + nice) * ns_per_tick,
                         .idle_ns = idle * ns_per_tick,
                         .iowait_ns = iowait * ns_per_tick};
}

std::optional<ports::Neighbour> parse_neighbour(const std::string& line) {
  std::string_view rest = line;
  const auto address = word(rest);
  (void)word(rest);  // the kind of hardware
  const auto flags = word(rest);
  const auto mac = word(rest);
  // ATF_COM in if_arp.h: somebody has answered. Its numbers are hexadecimal.
  constexpr unsigned answered = 2;
  unsigned number = 0;
  if (!flags.starts_with("0x")) return std::nullopt;
  std::from_chars(flags.data() + 2, flags.data() + flags.size(), number, 16);
  if (!(number & answered) || mac.empty()) return std::nullopt;
  return ports::Neighbour{.address = std::string(address), .mac = std::string(mac)};
}

std::optional<std::uint64_t> first_number(std::string_view text) { return number_in<std::uint64_t>(word(text)); }

std::optional<unsigned> vcpu_of_thread(std::string_view name) {
  constexpr std::string_view prefix = "CPU ";
  const auto slash = name.find('/');
  if (!name.starts_with(prefix) || slash == std::string_view::npos) return std::nullopt;
  return number_in<unsigned>(name.substr(prefix.size(), slash - prefix.size()));
}

}  // namespace vireo::host
