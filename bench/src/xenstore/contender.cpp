// Asking and placing a server's process. See contender.hpp.
#include "contender.hpp"

#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>

#include "../process_figures.hpp"

namespace vireo::bench::xenstore {

std::optional<Contender> Contender::parse(std::string_view text) {
  const auto equals = text.find('=');
  const auto colon = text.rfind(':');
  if (equals == std::string_view::npos || colon == std::string_view::npos || colon < equals) return std::nullopt;
  Contender out;
  out.name = text.substr(0, equals);
  out.socket = text.substr(equals + 1, colon - equals - 1);
  out.is_floor = out.name == "floor";
  const auto pid = text.substr(colon + 1);
  const auto got = std::from_chars(pid.data(), pid.data() + pid.size(), out.pid);
  if (got.ec != std::errc() || got.ptr != pid.data() + pid.size()) return std::nullopt;
  return out;
}

std::chrono::nanoseconds Contender::spent() const {
  const auto time = process_time(pid);
  if (!time) throw Broken(time.error().message());
  return *time;
}

std::uint64_t Contender::resident_kib() const {
  const auto kib = bench::resident_kib(pid);
  if (!kib) throw Broken(kib.error().message());
  return *kib;
}

Result<void> pin(pid_t pid, int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  std::error_code gone;
  const auto tasks = fmt::format("/proc/{}/task", pid == 0 ? ::getpid() : pid);
  for (const auto& task : std::filesystem::directory_iterator(tasks, gone))
    if (::sched_setaffinity(std::stoi(task.path().filename()), sizeof set, &set) != 0)
      return fail_errno(errno, fmt::format("cannot keep process {} on processor {}", pid, processor));
  if (gone) return fail_errno(gone.value(), fmt::format("cannot look into '{}'", tasks));
  return {};
}

}  // namespace vireo::bench::xenstore
