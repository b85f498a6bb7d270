// What is going on with a guest: whether its monitor answers and who is in its lane (virDomainGetControlInfo), its
// background job (virDomainGetJobInfo, virDomainGetJobStats), its performance events and I/O threads.
#include <array>

#include "core/stats/asker.hpp"
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "doors/libvirt/handlers/typed_params.hpp"

namespace vireo::doors::libvirt {
namespace {

using Control = wire::remote_domain_get_control_info_ret;

Control control(unsigned state, SteadyClock::duration since, unsigned details = 0) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
  return {.state = state, .details = details, .stateTime = static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0))};
}

// On the core, which knows whether the monitor was ever reached; it asks nobody.
asio::awaitable<Result<Control>> get_control_info(Call call, wire::remote_domain_get_control_info_args args) {
  if (auto ok = check_flags(call, args.flags, 0); !ok) co_return pass_on(ok);
  auto guest = find_running(call, args.dom);
  if (!guest) co_return pass_on(guest);
  const auto domain = host_of(call).registry.find((*guest)->uuid);
  if (!domain || !domain->run || !domain->run->guest)
    co_return control(VIR_DOMAIN_CONTROL_ERROR, SteadyClock::duration::zero(), VIR_DOMAIN_CONTROL_ERROR_REASON_MONITOR);
  const auto now = SteadyClock::now();
  const auto lane = (*guest)->pulse->lane.figures(now);
  auto busy_for = lane.holder ? std::optional(lane.held_for) : std::nullopt;
  const auto sample = (*guest)->pulse->sample_of((*guest)->id);
  if (sample && sample->monitor.waiting_since)
    busy_for = std::max(busy_for.value_or(SteadyClock::duration::zero()), now - *sample->monitor.waiting_since);
  if (busy_for) co_return control(VIR_DOMAIN_CONTROL_OCCUPIED, *busy_for);
  co_return control(VIR_DOMAIN_CONTROL_OK, SteadyClock::duration::zero());
}

// Vireo has no background jobs yet (migration, save), so none is ever under way.
Result<wire::remote_domain_get_job_info_ret> get_job_info(const Call& call,
                                                          const wire::remote_domain_get_job_info_args& args) {
  if (auto guest = find_running(call, args.dom); !guest) return pass_on(guest);
  return wire::remote_domain_get_job_info_ret{.type = VIR_DOMAIN_JOB_NONE};
}

Result<wire::remote_domain_get_job_stats_ret> get_job_stats(const Call& call,
                                                            const wire::remote_domain_get_job_stats_args& args) {
  constexpr unsigned completed = VIR_DOMAIN_JOB_STATS_COMPLETED, keep = VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED;
  if (auto ok = check_flags(call, args.flags, completed | keep); !ok) return pass_on(ok);
  // Whoever asks for a job that has ended may ask of a guest that has.
  auto guest = (args.flags & completed) ? find_domain(call, args.dom) : find_running(call, args.dom);
  if (!guest) return pass_on(guest);
  return wire::remote_domain_get_job_stats_ret{.type = VIR_DOMAIN_JOB_NONE, .params = {}};
}

// Every event that libvirt 9.0 knows, in its order. None can be switched on.
constexpr auto kPerfEvents = std::to_array<const char*>({VIR_PERF_PARAM_CMT,
                                                         VIR_PERF_PARAM_MBMT,
                                                         VIR_PERF_PARAM_MBML,
                                                         VIR_PERF_PARAM_CPU_CYCLES,
                                                         VIR_PERF_PARAM_INSTRUCTIONS,
                                                         VIR_PERF_PARAM_CACHE_REFERENCES,
                                                         VIR_PERF_PARAM_CACHE_MISSES,
                                                         VIR_PERF_PARAM_BRANCH_INSTRUCTIONS,
                                                         VIR_PERF_PARAM_BRANCH_MISSES,
                                                         VIR_PERF_PARAM_BUS_CYCLES,
                                                         VIR_PERF_PARAM_STALLED_CYCLES_FRONTEND,
                                                         VIR_PERF_PARAM_STALLED_CYCLES_BACKEND,
                                                         VIR_PERF_PARAM_REF_CPU_CYCLES,
                                                         VIR_PERF_PARAM_CPU_CLOCK,
                                                         VIR_PERF_PARAM_TASK_CLOCK,
                                                         VIR_PERF_PARAM_PAGE_FAULTS,
                                                         VIR_PERF_PARAM_CONTEXT_SWITCHES,
                                                         VIR_PERF_PARAM_CPU_MIGRATIONS,
                                                         VIR_PERF_PARAM_PAGE_FAULTS_MIN,
                                                         VIR_PERF_PARAM_PAGE_FAULTS_MAJ,
                                                         VIR_PERF_PARAM_ALIGNMENT_FAULTS,
                                                         VIR_PERF_PARAM_EMULATION_FAULTS});

Result<wire::remote_domain_get_perf_events_ret> get_perf_events(const Call& call,
                                                                const wire::remote_domain_get_perf_events_args& args) {
  constexpr unsigned known = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG | VIR_TYPED_PARAM_STRING_OKAY;
  if (auto ok = check_flags(call, args.flags, known); !ok) return pass_on(ok);
  auto guest = find_domain(call, args.dom);
  if (!guest) return pass_on(guest);
  if (auto definition = chosen_definition(**guest, args.flags); !definition) return pass_on(definition);
  std::vector<core::Param> params;
  params.reserve(std::size(kPerfEvents));
  for (const auto* event : kPerfEvents) params.push_back({event, false});
  return wire::remote_domain_get_perf_events_ret{.params = to_wire(std::move(params))};
}

// Guests with I/O threads are refused when they are defined, so there are none to tell of.
Result<wire::remote_domain_get_iothread_info_ret> get_iothread_info(
    const Call& call, const wire::remote_domain_get_iothread_info_args& args) {
  if (auto ok = check_flags(call, args.flags, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG); !ok)
    return pass_on(ok);
  auto guest = find_domain(call, args.dom);
  if (!guest) return pass_on(guest);
  if (auto definition = chosen_definition(**guest, args.flags); !definition) return pass_on(definition);
  return wire::remote_domain_get_iothread_info_ret{.info = {}, .ret = 0};
}

}  // namespace

void register_doings(HandlerTable& table) {
  using proc::Remote;
  table.change(Remote::domain_get_control_info, &get_control_info);
  table.read(Remote::domain_get_job_info, &get_job_info);
  table.read(Remote::domain_get_job_stats, &get_job_stats);
  table.read(Remote::domain_get_perf_events, &get_perf_events);
  table.read(Remote::domain_get_iothread_info, &get_iothread_info);
}

}  // namespace vireo::doors::libvirt
