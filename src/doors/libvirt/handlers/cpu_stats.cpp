// What a guest takes of the host's processors, and where it may run (virDomainGetCPUStats, virDomainGetVcpus,
// virDomainGetVcpuPinInfo, virDomainGetEmulatorPinInfo). All of it is the kernel's to tell: no monitor is asked.
#include "core/stats/fresh.hpp"
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/cpu_map.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "doors/libvirt/handlers/typed_params.hpp"

namespace vireo::doors::libvirt {
namespace {

// As libvirt answers on a host with control groups of version 2, which count by guest and not by processor.
constexpr int kTotals = 3, kPerProcessor = 2;

asio::awaitable<Result<wire::remote_domain_get_cpu_stats_ret>> get_cpu_stats(
    Call call, wire::remote_domain_get_cpu_stats_args args) {
  if (auto ok = check_flags(call, args.flags, VIR_TYPED_PARAM_STRING_OKAY); !ok) co_return pass_on(ok);
  auto guest = find_running(call, args.dom);
  if (!guest) co_return pass_on(guest);
  wire::remote_domain_get_cpu_stats_ret ret;
  const auto processors = client(call).backends.facts.processors().size();
  if (args.start_cpu != -1) {
    ret.nparams = args.ncpus == 0 ? static_cast<int>(processors) : kPerProcessor;
    if (args.nparams == 0) co_return ret;
    if (args.start_cpu < 0 || static_cast<std::size_t>(args.start_cpu) >= processors)
      co_return fail(VIR_ERR_INVALID_ARG,
                     fmt::format("start_cpu {} larger than maximum of {}", args.start_cpu, processors - 1));
    co_return fail_from(VIR_FROM_CGROUP, VIR_ERR_OPERATION_UNSUPPORTED,
                        "operation 'getCpuacctPercpuUsage' not supported for backend 'cgroup V2'");
  }
  ret.nparams = kTotals;
  if (args.nparams == 0) co_return ret;
  auto sample = co_await core::fresh_host_figures(host_of(call), *guest);
  if (!sample) co_return pass_on(sample);
  const auto& figures = *(*sample)->host;
  std::vector<core::Param> params{{VIR_DOMAIN_CPU_STATS_CPUTIME, std::uint64_t{figures.cpu_ns}},
                                  {VIR_DOMAIN_CPU_STATS_USERTIME, std::uint64_t{figures.user_ns}},
                                  {VIR_DOMAIN_CPU_STATS_SYSTEMTIME, std::uint64_t{figures.system_ns}}};
  params.resize(std::min<std::size_t>(params.size(), args.nparams));
  ret.nparams = static_cast<int>(params.size());
  ret.params = to_wire(std::move(params));
  co_return ret;
}

// Of each vCPU, the processors that it may run on. Nothing is pinned, so that is every one in use.
std::vector<std::byte> maps_of_all(unsigned count, int map_length, const std::vector<bool>& processors) {
  auto map = bits_of(processors);
  map.resize(static_cast<std::size_t>(map_length));
  std::vector<std::byte> maps;
  maps.reserve(count * map.size());
  for (unsigned i = 0; i < count; ++i) maps.insert(maps.end(), map.begin(), map.end());
  return maps;
}

// What a client may ask for at once.
Result<void> check_size(int count, int map_length) {
  if (count > static_cast<int>(wire::REMOTE_VCPUINFO_MAX))
    return fail(VIR_ERR_INTERNAL_ERROR, "maxinfo > REMOTE_VCPUINFO_MAX");
  if (count < 0 || map_length < 0 ||
      static_cast<std::int64_t>(count) * map_length > static_cast<std::int64_t>(wire::REMOTE_CPUMAPS_MAX))
    return fail(VIR_ERR_INTERNAL_ERROR, "maxinfo * maplen > REMOTE_CPUMAPS_MAX");
  return {};
}

asio::awaitable<Result<wire::remote_domain_get_vcpus_ret>> get_vcpus(Call call,
                                                                     wire::remote_domain_get_vcpus_args args) {
  if (auto ok = check_size(args.maxinfo, args.maplen); !ok) co_return pass_on(ok);
  auto guest = find_domain(call, args.dom);
  if (!guest) co_return pass_on(guest);
  if (!(*guest)->active())
    co_return fail(VIR_ERR_OPERATION_INVALID, "cannot retrieve vcpu information for inactive domain");
  const auto count = std::min((*guest)->current().vcpus(), static_cast<unsigned>(args.maxinfo));
  auto sample = co_await core::fresh_host_figures(host_of(call), *guest);
  if (!sample) co_return pass_on(sample);
  const auto& vcpus = (*sample)->host->vcpus;
  wire::remote_domain_get_vcpus_ret ret;
  for (unsigned i = 0; i < count; ++i) {
    wire::remote_vcpu_info info{.number = i, .state = VIR_VCPU_RUNNING, .cpu_time = 0, .cpu = -1};
    if (i < vcpus.size() && vcpus[i]) {
      info.cpu_time = vcpus[i]->run_ns;
      info.cpu = vcpus[i]->processor;
    }
    ret.info.push_back(info);
  }
  ret.cpumaps = maps_of_all(count, args.maplen, client(call).backends.facts.processors());
  co_return ret;
}

Result<wire::remote_domain_get_vcpu_pin_info_ret> get_vcpu_pin_info(
    const Call& call, const wire::remote_domain_get_vcpu_pin_info_args& args) {
  if (auto ok = check_flags(call, args.flags, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG); !ok)
    return pass_on(ok);
  if (auto ok = check_size(args.ncpumaps, args.maplen); !ok) return pass_on(ok);
  auto guest = find_domain(call, args.dom);
  if (!guest) return pass_on(guest);
  auto definition = chosen_definition(**guest, args.flags);
  if (!definition) return pass_on(definition);
  const auto count = std::min((*definition)->vcpus(), static_cast<unsigned>(args.ncpumaps));
  return wire::remote_domain_get_vcpu_pin_info_ret{
      .cpumaps = maps_of_all(count, args.maplen, client(call).backends.facts.processors()),
      .num = static_cast<std::int32_t>(count)};
}

Result<wire::remote_domain_get_emulator_pin_info_ret> get_emulator_pin_info(
    const Call& call, const wire::remote_domain_get_emulator_pin_info_args& args) {
  if (auto ok = check_flags(call, args.flags, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG); !ok)
    return pass_on(ok);
  if (auto ok = check_size(1, args.maplen); !ok) return pass_on(ok);
  auto guest = find_domain(call, args.dom);
  if (!guest) return pass_on(guest);
  if (auto definition = chosen_definition(**guest, args.flags); !definition) return pass_on(definition);
  return wire::remote_domain_get_emulator_pin_info_ret{
      .cpumaps = maps_of_all(1, args.maplen, client(call).backends.facts.processors()), .ret = 1};
}

}  // namespace

void register_cpu_stats(HandlerTable& table) {
  using proc::Remote;
  table.change(Remote::domain_get_cpu_stats, &get_cpu_stats);
  table.change(Remote::domain_get_vcpus, &get_vcpus);
  table.read(Remote::domain_get_vcpu_pin_info, &get_vcpu_pin_info);
  table.read(Remote::domain_get_emulator_pin_info, &get_emulator_pin_info);
}

}  // namespace vireo::doors::libvirt
