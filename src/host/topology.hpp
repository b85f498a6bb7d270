// The host's processors, memory cells and caches, as plain data read once from /sys and /proc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/tree.hpp"
#include "ports/host_facts.hpp"

namespace vireo::host {

struct Cpu {
  unsigned id = 0, socket = 0, die = 0, core = 0;
  std::vector<unsigned> siblings;  // threads of the same core, itself among them
};

struct Pages {
  std::uint64_t size_kib = 0;
  std::uint64_t count = 0;
};

struct Distance {
  unsigned cell = 0;
  unsigned value = 0;
};

struct Cell {
  unsigned id = 0;
  std::uint64_t memory_kib = 0;
  std::vector<Pages> pages;  // by size, the smallest first
  std::vector<Distance> distances;
  std::vector<Cpu> cpus;  // online ones
};

struct CacheBank {
  unsigned id = 0, level = 0;
  std::string type;  // "both", "data", "code"
  std::uint64_t size_kib = 0;
  std::vector<unsigned> cpus;
};

struct Topology {
  std::vector<Cell> cells;        // at least one
  std::vector<CacheBank> caches;  // of the last levels, which processors share
};

Topology read_topology(const Tree& tree);

// The memory that the cells have at this moment.
std::uint64_t memory_kib_now(const Tree& tree, const Topology& topology);

// virNodeInfo's numbers. Where sockets × cores × threads of a cell does not give the processors that there are
// (some offline, or cells unlike each other), libvirt's way out is kept: one socket with all of them as cores.
ports::NodeInfo node_info(const Tree& tree, const Topology& topology, const std::string& arch);

// The whole package's shape: for <topology> of the host's processor.
struct CpuShape {
  unsigned sockets = 1, dies = 1, cores = 1, threads = 1;
};
CpuShape cpu_shape(const Topology& topology);

}  // namespace vireo::host
