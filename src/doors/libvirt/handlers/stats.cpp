// Statistics of many guests in one call (virConnectGetAllDomainStats, virDomainListGetStats). Samples alone, or what
// needs no sample, are answered on the door's thread; fresh figures are fetched by the core, all guests at once. What
// the protocol cannot carry is refused before it is written, with the way to get it.
#include "core/stats/record.hpp"
#include "core/stats/refresh.hpp"
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "doors/libvirt/handlers/typed_params.hpp"
#include "model/list_filter.hpp"

namespace vireo::doors::libvirt {
namespace {

using Args = wire::remote_connect_get_all_domain_stats_args;
using Ret = wire::remote_connect_get_all_domain_stats_ret;

constexpr unsigned kFilters = VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE |
                              VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT |
                              VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT | VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING |
                              VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED | VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF |
                              VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER;
constexpr unsigned kKnownFlags = kFilters | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT |
                                 VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING |
                                 VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS;
// More records than this are written by a worker, so that no other client of the door's thread waits for them.
constexpr std::size_t kFewGuests = 256;

struct Question {
  std::vector<model::DomainViewPtr> guests;
  core::RecordOptions options;
};

Result<Question> understand(const Call& call, const Args& args) {
  if (auto ok = check_flags(call, args.flags, kKnownFlags); !ok) return pass_on(ok);
  if ((args.flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS) && (args.stats & ~core::kAllStats))
    return fail(
        VIR_ERR_ARGUMENT_UNSUPPORTED,
        fmt::format("Stats types bits {:#x} are not supported by this daemon or QEMU", args.stats & ~core::kAllStats));
  Question out;
  out.options.groups = args.stats == 0 ? core::kAllStats : args.stats & core::kAllStats;
  out.options.backing = (args.flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING) != 0;
  const auto version = host_of(call).registry.versions().pin();
  if (args.doms.empty()) {
    // The filters are those of a listing, by the same numbers (libvirt-domain.h).
    out.guests = model::select(*version, args.flags & kFilters);
    return out;
  }
  for (const auto& dom : args.doms) {
    auto found = find_domain(*version, dom);
    // Whoever names guests is asking about those that are still there.
    if (found && model::matches(**found, args.flags & kFilters)) out.guests.push_back(std::move(*found));
  }
  return out;
}

// Not less than what the record takes in the reply: names and texts are padded to four bytes.
std::size_t size_on_wire(const model::DomainView& guest, const std::vector<core::Param>& params) {
  constexpr std::size_t length = 4, padding = 3, uuid = 16, id = 4, count = 4, kind = 4, number = 8;
  std::size_t bytes = length + guest.name.size() + padding + uuid + id + count;
  for (const auto& param : params) {
    bytes += length + param.name.size() + padding + kind + number;
    if (const auto* text = std::get_if<std::string>(&param.value)) bytes += length + text->size() + padding;
  }
  return bytes;
}

std::unexpected<Error> too_long(std::string what) {
  return fail_from(VIR_FROM_RPC, VIR_ERR_RPC,
                   std::move(what) +
                       "; ask for them in parts with virDomainListGetStats (domainListGetStats, 'virsh domstats "
                       "DOMAIN…'), or for fewer groups");
}

// `at_rest`: by the position of the guest; empty: not looked at.
Result<Ret> answer(const Question& question, const std::vector<core::SizesOfDisks>& at_rest = {}) {
  const auto count = question.guests.size();
  if (count > wire::REMOTE_DOMAIN_LIST_MAX)
    return too_long(fmt::format("Too many domains '{}' for limit '{}'", count, wire::REMOTE_DOMAIN_LIST_MAX));
  Ret ret;
  ret.retStats.reserve(count);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& guest = question.guests[i];
    const auto sample = guest->pulse ? guest->pulse->sample.get() : nullptr;
    auto params = i < at_rest.size() ? core::record_of(*guest, sample.get(), question.options, at_rest[i])
                                     : core::record_of(*guest, sample.get(), question.options);
    if (params.size() > wire::REMOTE_CONNECT_GET_ALL_DOMAIN_STATS_MAX)
      return too_long(fmt::format("The statistics of domain '{}' are more than the protocol carries", guest->name));
    bytes += size_on_wire(*guest, params);
    if (bytes > payload_max)
      return too_long(fmt::format("The statistics of {} domains are longer than a message may be", count));
    ret.retStats.push_back({.dom = to_wire(*guest), .params = to_wire(std::move(params))});
  }
  return ret;
}

Result<std::optional<Ret>> at_once(const Call& call, const Args& args) {
  auto question = understand(call, args);
  if (!question) return pass_on(question);
  auto& host = host_of(call);
  const bool samples_do = (args.flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT) != 0;
  if (samples_do) host.sampler.want();
  if (!samples_do && !core::needs_no_sample(question->options.groups)) return std::nullopt;
  if (question->guests.size() > kFewGuests) return std::nullopt;
  question->options.now = SteadyClock::now();
  question->options.fresh_since = question->options.now - core::kStaleAfter * host.sampler.period();
  auto ret = answer(*question);
  if (!ret) return pass_on(ret);
  return std::move(*ret);
}

asio::awaitable<Result<Ret>> fetch(Call call, Args args) {
  auto question = understand(call, args);
  if (!question) co_return pass_on(question);
  auto& host = host_of(call);
  std::vector<core::SizesOfDisks> at_rest;
  if (args.flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT) {
    question->options.fresh_since = SteadyClock::now() - core::kStaleAfter * host.settings.sample_period;
  } else {
    question->options.fresh_since = SteadyClock::now();
    at_rest = co_await core::refresh(host, question->guests, question->options.groups,
                                     Deadline::in(host.settings.stats_deadline));
  }
  std::move_only_function<Result<Ret>()> write = [question = std::move(*question),
                                                  at_rest = std::move(at_rest)]() mutable -> Result<Ret> {
    question.options.now = SteadyClock::now();
    return answer(question, at_rest);
  };
  co_return co_await client(call).backends.workers.run<Ret>(std::move(write), Deadline::in(std::chrono::seconds(30)));
}

}  // namespace

void register_stats(HandlerTable& table) {
  table.read_or_change(proc::Remote::connect_get_all_domain_stats, &at_once, &fetch);
}

}  // namespace vireo::doors::libvirt
