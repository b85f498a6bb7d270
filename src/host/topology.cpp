// Reading /sys/devices/system/{cpu,node} and counting.
#include "host/topology.hpp"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

namespace vireo::host {

namespace {

const std::string kCpus = "/sys/devices/system/cpu";
const std::string kNodes = "/sys/devices/system/node";

// The first cache level that several cores usually share: the ones below say nothing about placing guests.
constexpr unsigned kFirstSharedLevel = 3;

unsigned small_number(const Tree& tree, const std::string& path) {
  return static_cast<unsigned>(tree.number(path).value_or(0));
}

Cpu read_cpu(const Tree& tree, unsigned id) {
  const auto folder = kCpus + "/cpu" + std::to_string(id) + "/topology/";
  Cpu cpu{.id = id,
          .socket = small_number(tree, folder + "physical_package_id"),
          .die = small_number(tree, folder + "die_id"),
          .core = small_number(tree, folder + "core_id"),
          .siblings = tree.list(folder + "thread_siblings_list")};
  if (cpu.siblings.empty()) cpu.siblings = {id};
  return cpu;
}

std::vector<Cpu> read_cpus(const Tree& tree, const std::vector<unsigned>& wanted, const std::vector<unsigned>& online) {
  std::vector<Cpu> cpus;
  for (const auto id : wanted)
    if (std::find(online.begin(), online.end(), id) != online.end()) cpus.push_back(read_cpu(tree, id));
  return cpus;
}

std::vector<Pages> read_pages(const Tree& tree, const std::string& folder, std::uint64_t memory_kib) {
  std::vector<Pages> pages;
  std::uint64_t huge_kib = 0;
  // Entries are named after the size: hugepages-2048kB.
  for (const auto size : {std::uint64_t{64}, std::uint64_t{2048}, std::uint64_t{32768}, std::uint64_t{1048576}}) {
    const auto count = tree.number(folder + "/hugepages-" + std::to_string(size) + "kB/nr_hugepages");
    if (!count) continue;
    pages.push_back({.size_kib = size, .count = *count});
    huge_kib += size * *count;
  }
  const auto base_kib = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
  pages.insert(pages.begin(),
               {.size_kib = base_kib, .count = (memory_kib - std::min(huge_kib, memory_kib)) / base_kib});
  return pages;
}

std::vector<Distance> read_distances(const Tree& tree, const std::string& folder, const std::vector<unsigned>& nodes) {
  std::vector<Distance> distances;
  // One number for each node, in the nodes' order.
  std::string numbers = tree.line(folder + "/distance");
  std::replace(numbers.begin(), numbers.end(), ' ', ',');
  const auto values = parse_list(numbers);
  for (std::size_t i = 0; i < std::min(values.size(), nodes.size()); ++i)
    distances.push_back({.cell = nodes[i], .value = values[i]});
  return distances;
}

std::vector<Cell> read_cells(const Tree& tree, const std::vector<unsigned>& online) {
  std::vector<Cell> cells;
  const auto nodes = tree.numbered(kNodes, "node");
  for (const auto node : nodes) {
    const auto folder = kNodes + "/node" + std::to_string(node);
    Cell cell;
    cell.id = node;
    cell.memory_kib = value_after(tree.lines(folder + "/meminfo"), "MemTotal").value_or(0);
    cell.pages = read_pages(tree, folder + "/hugepages", cell.memory_kib);
    cell.distances = read_distances(tree, folder, nodes);
    cell.cpus = read_cpus(tree, tree.list(folder + "/cpulist"), online);
    cells.push_back(std::move(cell));
  }
  if (!cells.empty()) return cells;
  // A kernel without NUMA: everything in one cell.
  Cell cell;
  cell.memory_kib = value_after(tree.lines("/proc/meminfo"), "MemTotal").value_or(0);
  cell.pages = read_pages(tree, "/sys/kernel/mm/hugepages", cell.memory_kib);
  cell.cpus = read_cpus(tree, online, online);
  cells.push_back(std::move(cell));
  return cells;
}

std::vector<CacheBank> read_caches(const Tree& tree, const std::vector<unsigned>& online) {
  static const std::map<std::string, std::string> kTypes{
      {"Unified", "both"}, {"Data", "data"}, {"Instruction", "code"}};
  std::vector<CacheBank> banks;
  std::set<std::tuple<unsigned, std::string, unsigned>> seen;
  for (const auto cpu : online) {
    const auto caches = kCpus + "/cpu" + std::to_string(cpu) + "/cache";
    for (const auto index : tree.numbered(caches, "index")) {
      const auto folder = caches + "/index" + std::to_string(index);
      CacheBank bank;
      bank.level = small_number(tree, folder + "/level");
      const auto type = kTypes.find(tree.line(folder + "/type"));
      if (bank.level < kFirstSharedLevel || type == kTypes.end()) continue;
      bank.id = small_number(tree, folder + "/id");
      bank.type = type->second;
      bank.size_kib = tree.number(folder + "/size").value_or(0);
      bank.cpus = tree.list(folder + "/shared_cpu_list");
      if (seen.emplace(bank.level, bank.type, bank.id).second) banks.push_back(std::move(bank));
    }
  }
  return banks;
}

// Shape of a set of processors: its sockets, and the most that one socket, die or core of it holds.
CpuShape shape_of(const std::vector<const Cpu*>& cpus) {
  std::set<unsigned> sockets;
  std::map<unsigned, std::set<unsigned>> dies;
  std::map<std::pair<unsigned, unsigned>, std::set<unsigned>> cores;
  std::size_t threads = 1;
  for (const auto* cpu : cpus) {
    sockets.insert(cpu->socket);
    dies[cpu->socket].insert(cpu->die);
    cores[{cpu->socket, cpu->die}].insert(cpu->core);
    threads = std::max(threads, cpu->siblings.size());
  }
  std::size_t most_dies = 1, most_cores = 1;
  for (const auto& [socket, inside] : dies) most_dies = std::max(most_dies, inside.size());
  for (const auto& [die, inside] : cores) most_cores = std::max(most_cores, inside.size());
  return {.sockets = static_cast<unsigned>(std::max<std::size_t>(sockets.size(), 1)),
          .dies = static_cast<unsigned>(most_dies),
          .cores = static_cast<unsigned>(most_cores),
          .threads = static_cast<unsigned>(threads)};
}

std::vector<const Cpu*> cpus_of(const Cell& cell) {
  std::vector<const Cpu*> cpus;
  cpus.reserve(cell.cpus.size());
  for (const auto& cpu : cell.cpus) cpus.push_back(&cpu);
  return cpus;
}

}  // namespace

Topology read_topology(const Tree& tree) {
  auto online = tree.list(kCpus + "/online");
  if (online.empty()) online = {0};
  Topology topology;
  topology.cells = read_cells(tree, online);
  topology.caches = read_caches(tree, online);
  return topology;
}

std::uint64_t memory_kib_now(const Tree& tree, const Topology& topology) {
  // What the NUMA nodes have, as libvirt counts it; on a host that plugs memory it may differ from /proc/meminfo.
  std::uint64_t sum = 0;
  for (const auto& cell : topology.cells)
    sum += value_after(tree.lines("/sys/devices/system/node/node" + std::to_string(cell.id) + "/meminfo"), "MemTotal")
               .value_or(0);
  return sum ? sum : value_after(tree.lines("/proc/meminfo"), "MemTotal").value_or(0);
}

ports::NodeInfo node_info(const Tree& tree, const Topology& topology, const std::string& arch) {
  ports::NodeInfo info;
  info.cpu_model = arch;
  info.memory_kib = memory_kib_now(tree, topology);
  info.mhz = static_cast<unsigned>(value_after(tree.lines("/proc/cpuinfo"), "cpu MHz").value_or(0));
  info.nodes = static_cast<unsigned>(topology.cells.size());
  info.cpus = 0;
  info.sockets = info.cores = info.threads = 1;
  for (const auto& cell : topology.cells) {
    const auto shape = shape_of(cpus_of(cell));
    info.cpus += static_cast<unsigned>(cell.cpus.size());
    info.sockets = std::max(info.sockets, shape.sockets);
    info.cores = std::max(info.cores, shape.dies * shape.cores);
    info.threads = std::max(info.threads, shape.threads);
  }
  if (info.nodes * info.sockets * info.cores * info.threads != info.cpus) {
    info.nodes = info.sockets = info.threads = 1;
    info.cores = info.cpus;
  }
  return info;
}

CpuShape cpu_shape(const Topology& topology) {
  std::vector<const Cpu*> all;
  for (const auto& cell : topology.cells)
    for (const auto& cpu : cell.cpus) all.push_back(&cpu);
  return shape_of(all);
}

}  // namespace vireo::host
