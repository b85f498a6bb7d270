// The end of a guest's process: what is published, told and cleaned up.
#include <filesystem>

#include "base/fault.hpp"
#include "base/log.hpp"
#include "core/run/run.hpp"
#include "core/stats/asker.hpp"

namespace vireo::core {
namespace {

// What a life that is over leaves behind. Holding the Run until then also keeps the guest object alive while the event
// that told of its end, which comes out of that very object, is handled.
asio::awaitable<void> clean_up(Host& host, std::shared_ptr<Run> run) {
  co_await host.labeler.restore(run->live, Deadline::in(host.settings.end_timeout));
  co_await remove_runtime_folder(host, runtime_folder(host, run->id));
  // Last: while there is a record, the next daemon goes on with what was not done.
  co_await forget_record(host, run->id);
  --host.cleaning_up;
}

}  // namespace

std::string runtime_folder(const Host& host, int id) { return host.settings.runtime_dir + "/" + std::to_string(id); }

std::string monitor_path(const Host& host, int id) { return runtime_folder(host, id) + "/monitor.sock"; }

asio::awaitable<void> remove_runtime_folder(Host& host, std::string path) {
  auto removed = co_await host.files.run<void>(
      [path]() -> Result<void> {
        if (auto fault = fault::at("core.remove_folder"); !fault) return fault;
        std::error_code error;
        std::filesystem::remove_all(path, error);
        if (error) return fail(VIR_ERR_SYSTEM_ERROR, "cannot remove '" + path + "': " + error.message());
        return {};
      },
      Deadline::in(host.settings.end_timeout));
  if (!removed) log::warn("{}", removed.error().message());
}

asio::awaitable<void> forget_record(Host& host, int id) {
  if (auto removed = co_await host.store.remove_run(id); !removed)
    log::error("the record of guest id {} could not be removed: {}", id, removed.error().message());
}

void finish_run(Host& host, const DomainPtr& domain, const std::shared_ptr<Run>& run, const ports::GuestEvent& exit) {
  run->exited = true;
  if (!run->up) return;  // whoever brings it up sees the mark and unwinds
  run->up = false;
  if (!run->ending) log::warn("guest '{}' (id {}) ended by itself. {}", domain->name, run->id, exit.detail);

  // An end that nobody asked for and that the guest did not announce counts as a crash, as libvirt has it.
  const auto ending = run->ending.value_or(Run::Ending{VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_FAILED});
  model::DomainView view = *domain->view;
  view.id = -1;
  view.live = nullptr;
  view.pid = 0;
  view.updated = false;
  view.tainted_by_monitor = false;
  view.state = VIR_DOMAIN_SHUTOFF;
  view.reason = ending.reason;
  domain->run = nullptr;
  if (run->asker) run->asker->end();
  domain->pulse->sample.set(nullptr);
  run->ports.clear();
  run->images.clear();
  run->labels.reset();
  if (view.persistent)
    host.registry.publish(*domain, std::move(view));
  else
    host.registry.withdraw(*domain);
  emit_lifecycle(host, *domain, run->id, VIR_DOMAIN_EVENT_STOPPED, ending.event_detail);
  for (auto& waiter : run->waiting_for_end) waiter->fire();
  run->waiting_for_end.clear();
  ++host.cleaning_up;
  asio::co_spawn(host.core, clean_up(host, run), asio::detached);
}

asio::awaitable<Result<void>> end_run(Host& host, std::shared_ptr<Run> run, bool gentle) {
  const auto deadline = Deadline::in(host.settings.end_timeout);
  auto gone = std::make_shared<Wake>(host.core);
  run->waiting_for_end.push_back(gone);
  auto ended = co_await run->guest->end(gentle, deadline);
  if (!ended) co_return ended;
  if (!co_await gone->wait(deadline))
    co_return fail(VIR_ERR_OPERATION_TIMEOUT, "the guest's process has ended and was not noticed in time");
  co_return Result<void>{};
}

asio::awaitable<Result<void>> end_unreached(Host& host, DomainPtr domain, std::shared_ptr<Run> run) {
  auto ended = co_await host.hypervisor.sweep(monitor_path(host, run->id), run->recorded,
                                              Deadline::in(host.settings.end_timeout));
  if (!ended) co_return ended;
  if (run->up) finish_run(host, domain, run, {.kind = ports::GuestEvent::Kind::Exited});
  co_return ended;
}

}  // namespace vireo::core
