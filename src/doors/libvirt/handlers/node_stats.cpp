// What the host's processors have done and what its memory holds (virNodeGetCPUStats, virNodeGetMemoryStats,
// virNodeGetCPUMap). Any client may ask; the kernel answers at once.
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/cpu_map.hpp"
#include "doors/libvirt/handlers/register.hpp"

namespace vireo::doors::libvirt {
namespace {

// libvirt wants room for exactly as many as there are, or none, which asks how many that is.
template <class Ret, class Params>
Result<Ret> fill(Params params, int room, const char* complaint) {
  Ret ret;
  ret.nparams = static_cast<std::int32_t>(params.size());
  if (room == 0) return ret;
  if (room != ret.nparams) return fail(VIR_ERR_INVALID_ARG, fmt::format("{} {}", complaint, params.size()));
  ret.params = std::move(params);
  return ret;
}

Result<std::optional<unsigned>> one_of(int number, int all, const char* what) {
  if (number == all) return std::nullopt;
  if (number < 0)
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, fmt::format("{} only accepts -1 as a negative value", what));
  return static_cast<unsigned>(number);
}

Result<wire::remote_node_get_cpu_stats_ret> get_cpu_stats(const Call& call,
                                                          const wire::remote_node_get_cpu_stats_args& args) {
  if (auto ok = check_flags(call, args.flags, 0); !ok) return pass_on(ok);
  auto cpu = one_of(args.cpuNum, VIR_NODE_CPU_STATS_ALL_CPUS, "cpuNum in virNodeGetCPUStats");
  if (!cpu) return pass_on(cpu);
  const auto times = client(call).backends.facts.cpu_times(*cpu);
  if (!times) return fail(VIR_ERR_INVALID_ARG, "Invalid cpuNum in virNodeGetCPUStats");
  std::vector<wire::remote_node_get_cpu_stats> params{{VIR_NODE_CPU_STATS_KERNEL, times->kernel_ns},
                                                      {VIR_NODE_CPU_STATS_USER, times->user_ns},
                                                      {VIR_NODE_CPU_STATS_IDLE, times->idle_ns},
                                                      {VIR_NODE_CPU_STATS_IOWAIT, times->iowait_ns}};
  return fill<wire::remote_node_get_cpu_stats_ret>(std::move(params), args.nparams,
                                                   "nparams in virNodeGetCPUStats must be equal to");
}

Result<wire::remote_node_get_memory_stats_ret> get_memory_stats(const Call& call,
                                                                const wire::remote_node_get_memory_stats_args& args) {
  if (auto ok = check_flags(call, args.flags, 0); !ok) return pass_on(ok);
  auto cell = one_of(args.cellNum, VIR_NODE_MEMORY_STATS_ALL_CELLS, "cellNum in virNodeGetMemoryStats");
  if (!cell) return pass_on(cell);
  const auto& facts = client(call).backends.facts;
  const auto memory = facts.memory(*cell);
  if (!memory)
    return fail(VIR_ERR_INVALID_ARG,
                fmt::format("cellNum in virNodeGetMemoryStats must be less than or equal to {}", facts.last_cell()));
  std::vector<wire::remote_node_get_memory_stats> params{{VIR_NODE_MEMORY_STATS_TOTAL, memory->total_kib},
                                                         {VIR_NODE_MEMORY_STATS_FREE, memory->free_kib}};
  if (memory->buffers_kib) params.push_back({VIR_NODE_MEMORY_STATS_BUFFERS, *memory->buffers_kib});
  if (memory->cached_kib) params.push_back({VIR_NODE_MEMORY_STATS_CACHED, *memory->cached_kib});
  return fill<wire::remote_node_get_memory_stats_ret>(std::move(params), args.nparams,
                                                      "nparams in virNodeGetMemoryStats must be");
}

Result<wire::remote_node_get_cpu_map_ret> get_cpu_map(const Call& call,
                                                      const wire::remote_node_get_cpu_map_args& args) {
  if (auto ok = check_flags(call, args.flags, 0); !ok) return pass_on(ok);
  const auto processors = client(call).backends.facts.processors();
  wire::remote_node_get_cpu_map_ret ret;
  if (args.need_map) ret.cpumap = bits_of(processors);
  if (args.need_online) ret.online = static_cast<std::uint32_t>(std::ranges::count(processors, true));
  ret.ret = static_cast<std::int32_t>(processors.size());
  return ret;
}

}  // namespace

void register_node_stats(HandlerTable& table) {
  using proc::Remote;
  table.read(Remote::node_get_cpu_map, &get_cpu_map);
  table.read(Remote::node_get_cpu_stats, &get_cpu_stats);
  table.read(Remote::node_get_memory_stats, &get_memory_stats);
}

}  // namespace vireo::doors::libvirt
