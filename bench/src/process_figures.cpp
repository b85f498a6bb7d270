// Reading /proc. See process_figures.hpp.
#include "process_figures.hpp"

#include <fmt/format.h>
#include <time.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace vireo::bench {

Result<std::uint64_t> resident_kib(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/status", pid));
  for (std::string word; in >> word;)
    if (std::uint64_t kib = 0; word == "VmRSS:" && in >> kib) return kib;
  return fail(VIR_ERR_INTERNAL_ERROR, fmt::format("process {} says nothing of its memory", pid));
}

Result<std::chrono::nanoseconds> thread_time(pid_t pid, std::string_view name) {
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), gone)) {
    std::string comm;
    std::int64_t on_processor_ns = 0;
    std::getline(std::ifstream(task.path() / "comm"), comm);
    if (comm == name && std::ifstream(task.path() / "schedstat") >> on_processor_ns)
      return std::chrono::nanoseconds(on_processor_ns);
  }
  return fail(VIR_ERR_INTERNAL_ERROR, fmt::format("process {} has no thread '{}'", pid, name));
}

Result<std::chrono::nanoseconds> process_time(pid_t pid) {
  clockid_t clock = 0;
  timespec time{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0)
    return fail(VIR_ERR_INTERNAL_ERROR, fmt::format("there is no process {}", pid));
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace vireo::bench
