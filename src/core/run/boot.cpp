// How far a start has come, and when: noted as it happens, published with the guest, and saved.
#include "base/log.hpp"
#include "core/run/run.hpp"

namespace vireo::core {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;

std::int64_t since_asked_us(const Run& run) {
  return duration_cast<microseconds>(SteadyClock::now() - run.boot.began).count();
}

asio::awaitable<void> put_on_disk(Host& host, model::BootTimesPtr times) {
  if (auto saved = co_await host.store.save_boot(times); !saved)
    log::warn("how long guest '{}' took to start could not be recorded: {}", times->name, saved.error().message());
}

void publish_boot(Host& host, Domain& domain, Run& run, model::BootTimes times) {
  host.boots.note(run.boot, std::move(times));
  if (!run.up || !domain.view) return;
  model::DomainView next = *domain.view;
  next.boot = run.boot.times;
  host.registry.publish(domain, std::move(next));
  save_boot(host, run);
}

}  // namespace

void save_boot(Host& host, const Run& run) {
  asio::co_spawn(host.core, put_on_disk(host, run.boot.times), asio::detached);
}

void note_process(Host& host, Run& run, const ports::LaunchRecorder& recorder) {
  auto times = *run.boot.times;
  times.id = run.id;
  times.process_us = recorder.elapsed_us();
  // A hypervisor that tells of its steps has had the process since the handshake began.
  for (const auto& step : recorder.so_far().steps)
    if (std::string_view(step.name) == "handshake") times.process_us = step.begin_us;
  host.boots.note(run.boot, std::move(times));
}

void note_running(Host& host, Domain& domain, Run& run) {
  if (std::exchange(run.boot.has_run, true) || !run.boot.times) return;
  auto times = *run.boot.times;
  times.running_us = since_asked_us(run);
  publish_boot(host, domain, run, std::move(times));
}

void note_up(Host& host, Domain& domain, Run& run, model::UpSign sign, bool long_since) {
  if (!run.boot.times || run.boot.times->up_by != model::UpSign::none) return;
  auto times = *run.boot.times;
  if (!long_since) times.up_us = since_asked_us(run);
  times.up_by = sign;
  publish_boot(host, domain, run, std::move(times));
}

void continue_boot(Run& run, model::BootTimesPtr saved) {
  if (!saved) return;
  run.boot = {.began = SteadyClock::now() - (std::chrono::system_clock::now() - saved->began),
              .has_run = saved->running_us.has_value()};
  run.boot.times = std::move(saved);
}

}  // namespace vireo::core
