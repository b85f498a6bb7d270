// Where each fact comes from.
#include "host/linux_host.hpp"

#include <netdb.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <sstream>

#include "host/host_xml.hpp"
#include "host/image_sizes.hpp"
#include "host/proc_text.hpp"

namespace vireo::host {

namespace {

// The name by which other hosts know this one: the resolver's canonical name for a short host name, unless that is only
// another word for "here".
std::string find_hostname() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  std::string short_name = name.data();
  const auto local = [](const std::string& n) { return n.starts_with("localhost"); };
  if (local(short_name) || short_name.find('.') != std::string::npos) return short_name;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_flags = AI_CANONNAME;
  addrinfo* found = nullptr;
  if (::getaddrinfo(short_name.c_str(), nullptr, &hints, &found) != 0 || !found) return short_name;
  std::string canonical = found->ai_canonname ? found->ai_canonname : "";
  ::freeaddrinfo(found);
  return canonical.empty() || local(canonical) ? short_name : canonical;
}

// Two FNV-1a sums over the text, told apart by their starting points, shaped as a UUID of version 4. The machine id is
// not to be given away, so a sum that does not lead back stands for it.
Uuid uuid_from(const std::string& text) {
  constexpr std::uint64_t kPrime = 0x100000001b3ULL;
  Uuid uuid;
  std::size_t at = 0;
  for (std::uint64_t sum : {0xcbf29ce484222325ULL, 0x9ae16a3b2f90404fULL}) {
    for (const char c : "vireo host " + text) sum = (sum ^ static_cast<std::uint8_t>(c)) * kPrime;
    for (int shift = 56; shift >= 0; shift -= 8) uuid.bytes[at++] = static_cast<std::uint8_t>(sum >> shift);
  }
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

// The firmware's, or one that stays the same for this installation.
Uuid host_uuid(const Tree& tree) {
  if (const auto uuid = Uuid::parse(tree.line("/sys/class/dmi/id/product_uuid")); uuid && *uuid != Uuid{}) return *uuid;
  return uuid_from(tree.line("/etc/machine-id"));
}

// "some avg10=0.25 avg60=0.10 avg300=0.02 total=5016191", and the same for "full"; kernels without it have no such
// file. Returns the percent of the last 10 s in which all tasks waited.
double read_stalls(const Tree& tree, const char* what, ports::HostLoad::Stalls& out) {
  double all_percent = 0;
  for (const auto& line : tree.lines(std::string("/proc/pressure/") + what)) {
    std::array<char, 5> share{};
    double percent = 0;
    unsigned long long total_us = 0;
    const int read =
        std::sscanf(line.c_str(), "%4s avg10=%lf avg60=%*f avg300=%*f total=%llu", share.data(), &percent, &total_us);
    if (read < 2) continue;
    if (share.front() == 'f') all_percent = percent;
    if (read < 3) continue;
    if (share.front() == 's') out.some_us = total_us;
    if (share.front() == 'f') out.all_us = total_us;
  }
  return all_percent;
}

std::uint64_t microcode(const Tree& tree) {
  for (const auto& line : tree.lines("/proc/cpuinfo")) {
    if (!line.starts_with("microcode")) continue;
    const auto hex = line.find("0x");
    if (hex == std::string::npos) return 0;
    std::uint64_t value = 0;
    std::from_chars(line.data() + hex + 2, line.data() + line.size(), value, 16);
    return value;
  }
  return 0;
}

}  // namespace

LinuxHost::LinuxHost(LinuxHostOptions options) : tree_(options.root) {
  utsname kernel{};
  ::uname(&kernel);

  hostname_ = find_hostname();
  boot_id_ = tree_.line("/proc/sys/kernel/random/boot_id");
  HostDescription host;
  host.uuid = host_uuid(tree_);
  host.arch = kernel.machine;
  host.cpu = identify_cpu(options.cpu_map_folder, host_cpuid);
  host.microcode = microcode(tree_);
  host.iommu = tree_.has_entries("/sys/kernel/iommu_groups");
  host.topology = read_topology(tree_);
  for (const auto& pages : host.topology.cells.front().pages) host.page_sizes_kib.push_back(pages.size_kib);
  node_ = node_info(tree_, host.topology, host.arch);
  host_xml_ = host_xml(host);
  topology_ = std::move(host.topology);
}

ports::NodeInfo LinuxHost::node() const {
  auto info = node_;
  info.memory_kib = memory_kib_now(tree_, topology_);
  return info;
}

std::optional<ports::CpuTimes> LinuxHost::cpu_times(std::optional<unsigned> cpu) const {
  const auto name = cpu ? "cpu" + std::to_string(*cpu) : std::string("cpu");
  for (const auto& line : tree_.lines("/proc/stat"))
    if (const auto times = parse_cpu_times(line, name)) return times;
  return std::nullopt;
}

std::optional<ports::MemoryNow> LinuxHost::memory(std::optional<unsigned> cell) const {
  const auto lines = tree_.lines(cell ? "/sys/devices/system/node/node" + std::to_string(*cell) + "/meminfo"
                                      : std::string("/proc/meminfo"));
  const auto total = value_after(lines, "MemTotal");
  if (!total) return std::nullopt;
  ports::MemoryNow out{.total_kib = *total, .free_kib = value_after(lines, "MemFree").value_or(0)};
  if (!cell) {
    out.buffers_kib = value_after(lines, "Buffers");
    out.cached_kib = value_after(lines, "Cached");
  }
  return out;
}

std::vector<bool> LinuxHost::processors() const {
  std::vector<bool> out;
  const auto reach = [&out](unsigned cpu) { out.resize(std::max<std::size_t>(out.size(), cpu + 1)); };
  for (const auto cpu : tree_.list("/sys/devices/system/cpu/present")) reach(cpu);
  for (const auto cpu : tree_.list("/sys/devices/system/cpu/online")) {
    reach(cpu);
    out[cpu] = true;
  }
  return out;
}

std::vector<ports::Neighbour> LinuxHost::neighbours() const {
  std::vector<ports::Neighbour> out;
  for (const auto& line : tree_.lines("/proc/net/arp"))
    if (auto neighbour = parse_neighbour(line)) out.push_back(std::move(*neighbour));
  return out;
}

Result<model::ImageSizes> LinuxHost::image_sizes(const std::string& file, model::ImageFormat format) const {
  return host::image_sizes(file, format);
}

ports::HostLoad LinuxHost::load() const {
  const auto memory = tree_.lines("/proc/meminfo");
  ports::HostLoad out{.processors = node_.cpus,
                      .memory_kib = value_after(memory, "MemTotal").value_or(0),
                      .available_kib = value_after(memory, "MemAvailable").value_or(0)};
  read_stalls(tree_, "cpu", out.cpu);
  out.memory_stall = read_stalls(tree_, "memory", out.memory);
  out.disk_stall = read_stalls(tree_, "io", out.io);
  std::sscanf(tree_.line("/proc/loadavg").c_str(), "%lf %lf %lf", &out.load_1, &out.load_5, &out.load_15);
  return out;
}

ports::OwnProcess LinuxHost::own_process() const {
  const auto status = tree_.lines("/proc/self/status");
  ports::OwnProcess out{.resident_bytes = value_after(status, "VmRSS").value_or(0) * 1024,
                        .virtual_bytes = value_after(status, "VmSize").value_or(0) * 1024,
                        .threads = static_cast<unsigned>(value_after(status, "Threads").value_or(0))};
  const auto stat = tree_.line("/proc/self/stat");
  const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  if (const auto times = parse_stat(stat))
    out.cpu_ns = (times->user_ticks + times->system_ticks) * (1'000'000'000 / per_second);
  // The 20th after the name, which may hold anything, counts ticks since the host booted; the boot is in /proc/stat.
  std::istringstream rest(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
  std::string word;
  for (int i = 0; i < 20; ++i) rest >> word;
  std::uint64_t ticks = 0;
  std::from_chars(word.data(), word.data() + word.size(), ticks);
  for (const auto& line : tree_.lines("/proc/stat"))
    if (double booted_s = 0; std::sscanf(line.c_str(), "btime %lf", &booted_s) == 1)
      out.started_s = booted_s + static_cast<double>(ticks) / static_cast<double>(per_second);
  std::error_code error;
  for (std::filesystem::directory_iterator each(tree_.path("/proc/self/fd"), error), end; !error && each != end;
       each.increment(error))
    ++out.descriptors;
  if (rlimit limit{}; ::getrlimit(RLIMIT_NOFILE, &limit) == 0) out.most_descriptors = limit.rlim_cur;
  return out;
}

std::uint64_t LinuxHost::process_cpu_time_ns(pid_t pid) const {
  const auto stat = parse_stat(tree_.line("/proc/" + std::to_string(pid) + "/stat"));
  static const auto ns_per_tick = 1'000'000'000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  return stat ? (stat->user_ticks + stat->system_ticks) * ns_per_tick : 0;
}

}  // namespace vireo::host
