// Folders and files of the two versions.
#include "host/cgroups.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "base/fault.hpp"
#include "base/fd.hpp"
#include "base/log.hpp"

namespace vireo::host {

namespace {

namespace fs = std::filesystem;

// cpuacct and blkio count, memory and cpu limit too; the others would only cost time at every start.
constexpr std::array<std::string_view, 4> kUseful{"cpu", "cpuacct", "memory", "blkio"};
constexpr std::array<std::string_view, 3> kUsefulUnified{"cpu", "memory", "io"};

std::vector<std::string> words_of(const std::string& text, char separator) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, separator);)
    if (!word.empty()) words.push_back(word);
  return words;
}

Result<void> write_text(const std::string& path, const std::string& text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return fail_errno(errno, "Unable to write '" + text + "' to '" + path + "'");
  return {};
}

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Controllers of version 2 are handed down level by level. One that cannot be is missed where it is needed.
void hand_down_controllers(const std::string& folder) {
  const auto there = words_of(first_line_of(folder + "/cgroup.controllers"), ' ');
  const auto given = words_of(first_line_of(folder + "/cgroup.subtree_control"), ' ');
  for (const auto wanted : kUsefulUnified)
    if (std::ranges::find(there, wanted) != there.end() && std::ranges::find(given, wanted) == given.end())
      if (auto done = write_text(folder + "/cgroup.subtree_control", "+" + std::string(wanted)); !done)
        log::debug("{}", done.error().message());
}

// Where a guest's processor and memory are limited: a folder and the version it speaks. Empty: nowhere.
struct Controller {
  std::string folder;
  bool unified = false;
};

std::optional<Controller> controller_of(const std::vector<CgroupMount>& mounts, const std::string& below,
                                        std::string_view name) {
  for (const auto& mount : mounts) {
    const auto folder = mount.folder + below;
    const auto there = mount.unified ? words_of(first_line_of(folder + "/cgroup.controllers"), ' ') : mount.controllers;
    if (std::ranges::find(there, name) != there.end()) return Controller{.folder = folder, .unified = mount.unified};
  }
  return std::nullopt;
}

Result<void> set_memory(const Controller& at, const model::MemoryTune& tune) {
  const auto bytes = [](std::uint64_t kib) { return std::to_string(kib * 1024); };
  const auto set = [&](const char* v1, const char* v2, const std::string& text) {
    return write_text(at.folder + "/" + (at.unified ? v2 : v1), text);
  };
  Result<void> done;
  if (tune.hard_limit_kib) done = set("memory.limit_in_bytes", "memory.max", bytes(*tune.hard_limit_kib));
  if (done && tune.soft_limit_kib) done = set("memory.soft_limit_in_bytes", "memory.high", bytes(*tune.soft_limit_kib));
  // Version 1 limits memory and swap together, version 2 swap alone.
  if (done && tune.swap_hard_limit_kib)
    done = set("memory.memsw.limit_in_bytes", "memory.swap.max",
               bytes(*tune.swap_hard_limit_kib - (at.unified ? tune.hard_limit_kib.value_or(0) : 0)));
  return done;
}

Result<void> set_bandwidth(const Controller& at, std::optional<std::uint64_t> period_us,
                           std::optional<std::int64_t> quota_us) {
  if (!period_us && !quota_us) return {};
  constexpr std::uint64_t kPeriod_us = 100'000;  // the kernel's own
  const auto period = std::to_string(period_us.value_or(kPeriod_us));
  const auto quota = quota_us.value_or(-1);
  if (at.unified) return write_text(at.folder + "/cpu.max", (quota < 0 ? "max" : std::to_string(quota)) + " " + period);
  if (auto done = write_text(at.folder + "/cpu.cfs_period_us", period); !done) return done;
  return write_text(at.folder + "/cpu.cfs_quota_us", std::to_string(std::max<std::int64_t>(quota, -1)));
}

Result<void> set_cpu(const Controller& at, const model::CpuTune& tune) {
  Result<void> done;
  if (tune.shares)
    done = write_text(at.folder + (at.unified ? "/cpu.weight" : "/cpu.shares"), std::to_string(*tune.shares));
  return done ? set_bandwidth(at, tune.global_period_us, tune.global_quota_us) : done;
}

// One thread's own group below its guest's.
Result<void> limit_thread(const Controller& guest, std::size_t vcpu, pid_t thread, const model::CpuTune& tune) {
  const Controller own{.folder = fmt::format("{}/vcpu{}", guest.folder, vcpu), .unified = guest.unified};
  if (::mkdir(own.folder.c_str(), 0755) < 0 && errno != EEXIST)
    return fail_errno(errno, "cannot make the control group '" + own.folder + "'");
  Result<void> done;
  if (own.unified) {
    done = write_text(own.folder + "/cgroup.type", "threaded");
    if (done) done = write_text(guest.folder + "/cgroup.subtree_control", "+cpu");
  }
  if (done) done = set_bandwidth(own, tune.period_us, tune.quota_us);
  return done ? write_text(own.folder + (own.unified ? "/cgroup.threads" : "/tasks"), std::to_string(thread)) : done;
}

Result<void> set_limits(const std::vector<CgroupMount>& mounts, const std::string& below,
                        const model::DomainDef& definition) {
  if (auto fault = fault::at("cgroup.limits"); !fault) return fault;
  if (definition.memtune != model::MemoryTune{}) {
    if (definition.memtune.swap_hard_limit_kib &&
        *definition.memtune.swap_hard_limit_kib < definition.memtune.hard_limit_kib.value_or(0))
      return fail(VIR_ERR_INVALID_ARG,
                  "memory hard_limit tunable value must be lower than or equal to swap_hard_limit");
    const auto memory = controller_of(mounts, below, "memory");
    if (!memory) return fail(VIR_ERR_CONFIG_UNSUPPORTED, "Memory cgroup is not available on this host");
    if (auto done = set_memory(*memory, definition.memtune); !done) return done;
  }
  if (definition.cputune != model::CpuTune{}) {
    const auto cpu = controller_of(mounts, below, "cpu");
    if (!cpu) return fail(VIR_ERR_CONFIG_UNSUPPORTED, "CPU tuning is not available on this host");
    if (auto done = set_cpu(*cpu, definition.cputune); !done) return done;
  }
  return {};
}

// Tries for a moment: the last thread of a process may leave its groups a little after its end is told.
Result<void> remove_folder(const std::string& folder) {
  constexpr int kTries = 20;
  constexpr auto kPause = std::chrono::milliseconds(10);
  Result<void> done;
  for (int i = 0; i < kTries; ++i) {
    if (i > 0) std::this_thread::sleep_for(kPause);
    done = fault::at("cgroup.remove");
    if (!done) continue;
    if (::rmdir(folder.c_str()) == 0 || errno == ENOENT) return {};
    done = fail_errno(errno, "cannot remove the control group '" + folder + "'");
    if (errno != EBUSY) return done;
  }
  return done;
}

// Version 1 lists a process where its first thread is, so a vCPU's group is asked for its threads, too.
bool holds_nobody(const std::string& folder) {
  std::error_code error;
  if (!first_line_of(folder + "/cgroup.procs").empty()) return false;
  return std::ranges::all_of(fs::directory_iterator(folder, error), [](const fs::directory_entry& entry) {
    return !entry.is_directory() || first_line_of(entry.path() / "cgroup.procs").empty();
  });
}

// Its vCPUs' groups first.
Result<void> remove_guest(const std::string& folder) {
  std::error_code error;
  Result<void> done;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_directory(error) && done) done = remove_folder(entry.path());
  return done ? remove_folder(folder) : done;
}

}  // namespace

std::vector<CgroupMount> cgroup_mounts_in(const std::string& mounts_text) {
  std::vector<CgroupMount> mounts;
  for (const auto& line : words_of(mounts_text, '\n')) {
    const auto fields = words_of(line, ' ');  // device, folder, type, options …
    if (fields.size() < 4) continue;
    CgroupMount mount{.folder = fields[1], .unified = fields[2] == "cgroup2", .controllers = {}};
    if (fields[2] == "cgroup")
      for (const auto& option : words_of(fields[3], ','))
        if (std::ranges::find(kUseful, option) != kUseful.end()) mount.controllers.push_back(option);
    const bool again = std::ranges::any_of(mounts, [&](const CgroupMount& other) {
      return other.unified == mount.unified && other.controllers == mount.controllers;
    });
    if ((mount.unified || !mount.controllers.empty()) && !again) mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::vector<CgroupMount> without_empty_ones(std::vector<CgroupMount> mounts) {
  const bool version_1 = std::ranges::any_of(mounts, [](const CgroupMount& mount) { return !mount.unified; });
  std::erase_if(mounts, [&](const CgroupMount& mount) {
    if (!mount.unified || !version_1) return false;
    return std::ranges::none_of(
        words_of(first_line_of(mount.folder + "/cgroup.controllers"), ' '),
        [](const auto& each) { return std::ranges::find(kUsefulUnified, each) != kUsefulUnified.end(); });
  });
  return mounts;
}

Result<void> HostCgroups::make_in(const CgroupMount& mount, const std::string& guest) const {
  const auto parent = parent_in(mount), folder = parent + "/" + guest;
  if (auto fault = fault::at("cgroup.make"); !fault) return fault;
  // Again and again: another guest's end may take an empty parent away at any time.
  constexpr int kTries = 10;
  for (int i = 0; i < kTries; ++i) {
    ::mkdir(parent.c_str(), 0755);
    if (mount.unified)
      for (const auto& level : {mount.folder, parent}) hand_down_controllers(level);
    if (::mkdir(folder.c_str(), 0755) == 0 || errno == EEXIST) return {};
    if (errno != ENOENT || ::access(mount.folder.c_str(), W_OK) != 0) break;
  }
  return fail_errno(errno, "cannot make the control group '" + folder + "'");
}

Result<ports::CgroupPlace> HostCgroups::make(const std::string& guest, const model::DomainDef& definition) {
  ports::CgroupPlace place;
  std::vector<CgroupMount> made;
  for (const auto& mount : mounts_) {
    if (auto done = make_in(mount, guest); !done) {
      place.lost.push_back(done.error().message());
      continue;
    }
    made.push_back(mount);
    place.folders.push_back(parent_in(mount) + "/" + guest);
  }
  if (mounts_.empty()) place.lost.emplace_back("no control groups are mounted on this host");
  if (auto done = set_limits(made, "/" + parent_ + "/" + guest, definition); !done) {
    if (auto removed = remove(guest); !removed) log::warn("{}", removed.error().message());
    return pass_on(done);
  }
  return place;
}

Result<void> HostCgroups::limit_vcpus(const std::string& guest, const std::vector<pid_t>& threads,
                                      const model::CpuTune& tune) {
  if (auto fault = fault::at("cgroup.limit_vcpus"); !fault) return fault;
  const auto cpu = controller_of(mounts_, "/" + parent_ + "/" + guest, "cpu");
  if (!cpu) return fail(VIR_ERR_CONFIG_UNSUPPORTED, "CPU tuning is not available on this host");
  for (std::size_t vcpu = 0; vcpu < threads.size(); ++vcpu)
    if (auto done = limit_thread(*cpu, vcpu, threads[vcpu], tune); !done) return done;
  return {};
}

Result<void> HostCgroups::remove(const std::string& guest) {
  Result<void> all;
  for (const auto& mount : mounts_) {
    if (auto done = remove_guest(parent_in(mount) + "/" + guest); !done) all = done;
    ::rmdir(parent_in(mount).c_str());  // stays while there are other guests
  }
  return all;
}

void HostCgroups::sweep() {
  std::set<std::string> guests;
  for (const auto& mount : mounts_) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(parent_in(mount), error))
      if (entry.is_directory(error) && holds_nobody(entry.path()) && remove_guest(entry.path()))
        guests.insert(entry.path().filename());
    ::rmdir(parent_in(mount).c_str());
  }
  for (const auto& guest : guests) log::info("the control groups of '{}', which has ended, are removed", guest);
}

}  // namespace vireo::host
