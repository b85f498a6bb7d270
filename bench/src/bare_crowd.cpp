// Spawning what a server would spawn. See bare_crowd.hpp.
#include "bare_crowd.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

namespace vireo::bench {
namespace {

std::vector<std::string> words_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\0', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// Puts "fd={}" in the place of the monitor's descriptor; false: this is no command line with such a monitor.
bool open_monitor(std::vector<std::string>& words) {
  for (auto& word : words) {
    if (!word.starts_with("socket,id=charmonitor,fd=")) continue;
    const auto at = word.find("fd=") + 3;
    word.replace(at, word.find_first_not_of("0123456789", at) - at, "{}");
    return true;
  }
  return false;
}

}  // namespace

Result<std::vector<std::string>> command_line_at(const std::string& uri, CrowdPlan plan) {
  plan.guests = 1;
  ServerCrowd one(uri, plan);
  if (auto ready = one.prepare(1); !ready) return pass_on(ready);
  if (auto started = one.start(0, 0); !started) return pass_on(started);
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    auto words = words_of(entry.path() / "cmdline");
    if (words.size() < 3 || words[1] != "-name" || !words[2].starts_with("guest=" + crowd_name(0) + ",")) continue;
    if (open_monitor(words)) return words;
  }
  return fail(VIR_ERR_INTERNAL_ERROR, fmt::format("no process on this host is {} of {}", crowd_name(0), uri));
}

Result<void> BareCrowd::prepare(int) {
  qemus_.clear();
  qemus_.resize(static_cast<std::size_t>(plan().guests));
  return {};
}

Result<void> BareCrowd::start(int, int guest) {
  auto words = command_line_;
  const auto first = crowd_name(0);
  for (auto& word : words)
    if (const auto at = word.find(first); at != std::string::npos) word.replace(at, first.size(), crowd_name(guest));
  auto qemu = spawn_qemu(std::move(words));
  if (!qemu) return pass_on(qemu);
  // On a server, guests are told to run once their monitor is there; -S holds them until then.
  constexpr std::string_view run = "{\"execute\":\"cont\"}\n";
  if (!plan().paused() && ::send(qemu->monitor.get(), run.data(), run.size(), MSG_NOSIGNAL) < 0)
    return fail_errno(errno, "cannot write to QEMU's monitor");
  qemus_[static_cast<std::size_t>(guest)] = std::move(*qemu);
  return {};
}

Result<void> BareCrowd::stop_all() {
  for (auto& qemu : qemus_)
    if (qemu.pid > 0) kill_qemu(std::exchange(qemu, {}));
  return {};
}

}  // namespace vireo::bench
