// Writing a start's header and reading what QEMU said last.
#include "qemu/guest_log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "base/log.hpp"

namespace vireo::qemu {

namespace {

constexpr std::uint64_t kTailBytes = 2048;

std::string time_text() {
  timeval now{};
  ::gettimeofday(&now, nullptr);
  std::tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  std::array<char, 32> day{};
  std::strftime(day.data(), day.size(), "%Y-%m-%d %H:%M:%S", &utc);
  return fmt::format("{}.{:03}+0000", day.data(), now.tv_usec / 1000);
}

// As a shell would take it, so that a command line can be copied out of the log.
std::string quoted(const std::string& text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=,./:+@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

std::string header(const std::string& about, const std::vector<std::string>& environment,
                   const std::vector<std::string>& argv) {
  constexpr std::string_view kNextLine = " \\\n";
  std::string text = time_text() + ": starting up " + about + "\n";
  for (const auto& setting : environment) {
    const auto value = std::min(setting.find('='), setting.size() - 1) + 1;
    text += setting.substr(0, value) + quoted(setting.substr(value)) + std::string(kNextLine);
  }
  for (std::size_t i = 0; i < argv.size(); ++i) {
    // An option's value stands on the option's line.
    const bool value = i > 1 && argv[i - 1].starts_with('-') && !argv[i].starts_with('-');
    if (i > 0) text += value ? std::string(" ") : std::string(kNextLine);
    text += quoted(argv[i]);
  }
  return text + "\n";
}

}  // namespace

Result<GuestLog> open_guest_log(const std::string& path, const std::string& about,
                                const std::vector<std::string>& environment, const std::vector<std::string>& argv) {
  GuestLog log;
  log.fd = Fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (!log.fd) return fail_errno(errno, "cannot open the guest's log '" + path + "'");
  const auto text = header(about, environment, argv);
  if (::write(log.fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    log::warn("cannot write the start's header to '{}': is the disk full?", path);
  log.begins_at = guest_log_size(path);
  return log;
}

std::uint64_t guest_log_size(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::string guest_log_tail(const std::string& path, std::uint64_t begins_at) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto size = guest_log_size(path);
  if (!fd || size <= begins_at) return {};
  const auto from = std::max(begins_at, size > kTailBytes ? size - kTailBytes : 0);
  std::string text(size - from, '\0');
  const auto count = ::pread(fd.get(), text.data(), text.size(), static_cast<off_t>(from));
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  if (from > begins_at) text.erase(0, std::min(text.find('\n'), text.size() - 1) + 1);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace vireo::qemu
