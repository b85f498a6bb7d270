// Asking, and telling what did not come.
#include "core/stats/fresh.hpp"

#include <fmt/format.h>

#include "core/stats/asker.hpp"
#include "core/stats/refresh.hpp"

namespace vireo::core {
namespace {

// Workers read the kernel's counts in microseconds, but may have many guests to read.
constexpr auto kKernelPatience = std::chrono::seconds(10);

std::shared_ptr<Run> run_of(Host& host, const model::DomainView& guest) {
  const auto domain = host.registry.find(guest.uuid);
  return domain && domain->run && domain->run->id == guest.id && domain->run->asker ? domain->run : nullptr;
}

template <class T>
bool is_since(const model::Timed<T>& part, SteadyClock::time_point when) {
  return part && part.at >= when;
}

bool has_answered(const model::GuestSample& sample, const ports::MonitorQuestion& question,
                  SteadyClock::time_point asked) {
  return (!question.block || is_since(sample.block, asked)) &&
         (!question.block_facts || is_since(sample.images, asked)) &&
         (!question.balloon || is_since(sample.balloon, asked)) &&
         (!question.dirty_rate || is_since(sample.dirty_rate, asked)) && (!question.kvm || is_since(sample.kvm, asked));
}

std::unexpected<Error> silent(const std::string& guest, const std::string& for_how_long) {
  return fail(VIR_ERR_OPERATION_TIMEOUT, fmt::format("the monitor of guest '{0}' has not answered {1}; "
                                                     "'virsh domstats {0}' shows its last known figures",
                                                     guest, for_how_long));
}

std::unexpected<Error> silent_since(const std::string& guest, SteadyClock::time_point since) {
  return silent(guest, fmt::format("for {:.1f} s", std::chrono::duration<double>(SteadyClock::now() - since).count()));
}

}  // namespace

std::unexpected<Error> not_running() {
  return fail_from(VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain is not running");
}

asio::awaitable<Result<model::GuestSamplePtr>> fresh_sample(Host& host, model::DomainViewPtr guest, unsigned groups) {
  const auto run = run_of(host, *guest);
  if (!run) co_return not_running();
  if (!run->guest) co_return silent(guest->name, "since the daemon was started");
  const auto asked = SteadyClock::now();
  const auto question = run->asker->needed(groups);
  std::vector<model::DomainViewPtr> one{guest};
  co_await refresh(host, std::move(one), groups,
                   Deadline::in(question.any() ? host.settings.stats_deadline : kKernelPatience));
  auto sample = guest->pulse->sample_of(guest->id);
  if (sample && has_answered(*sample, question, asked)) co_return sample;
  if (run_of(host, *guest) != run) co_return not_running();
  if (sample && sample->monitor.waiting_since) co_return silent_since(guest->name, *sample->monitor.waiting_since);
  co_return fail(VIR_ERR_OPERATION_FAILED,
                 "the monitor of guest '" + guest->name + "' does not tell its figures; the daemon's log says why");
}

asio::awaitable<Result<model::GuestSamplePtr>> fresh_host_figures(Host& host, model::DomainViewPtr guest) {
  const auto run = run_of(host, *guest);
  if (!run) co_return not_running();
  const auto asked = SteadyClock::now();
  std::vector<model::DomainViewPtr> one{guest};
  // Of the groups that are read from the kernel, the one for which no guest's monitor is asked.
  co_await refresh(host, std::move(one), VIR_DOMAIN_STATS_INTERFACE, Deadline::in(kKernelPatience));
  auto sample = guest->pulse->sample_of(guest->id);
  if (sample && is_since(sample->host, asked)) co_return sample;
  co_return fail(VIR_ERR_OPERATION_TIMEOUT, "the workers that read what the kernel counts of guest '" + guest->name +
                                                "' are busy; try again later");
}

asio::awaitable<Result<DiskErrors>> disk_errors_now(Host& host, model::DomainViewPtr guest) {
  if (guest->current().devices.disks.empty()) co_return DiskErrors{};
  // A monitor that hangs has one question waiting for it, however often somebody asks; this one goes to those that
  // answer.
  auto answers = co_await fresh_sample(host, guest, VIR_DOMAIN_STATS_BLOCK);
  if (!answers) co_return pass_on(answers);
  const auto run = run_of(host, *guest);
  if (!run || !run->guest) co_return not_running();
  const auto asked = SteadyClock::now();
  auto errors = co_await run->guest->query_disk_errors(Deadline::in(host.settings.stats_deadline));
  if (!errors && errors.error().code == VIR_ERR_OPERATION_TIMEOUT) co_return silent_since(guest->name, asked);
  co_return errors;
}

}  // namespace vireo::core
