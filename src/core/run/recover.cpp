// What a daemon finds when it starts: definitions, guests that ran on without it, guests that ended meanwhile, and
// intents: launches whose daemon died before it could record a process.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include "base/log.hpp"
#include "core/run/run.hpp"
#include "core/stats/asker.hpp"

namespace vireo::core {
namespace {

// Between two tries to reach a process that does not do as it is told.
constexpr auto kFirstPause = std::chrono::milliseconds(500);
std::chrono::milliseconds next_pause(std::chrono::milliseconds pause) {
  return std::min(pause * 2, std::chrono::milliseconds(30'000));
}

// A recorded guest, published at once as it was recorded, so that listings are whole while its monitor is asked.
std::shared_ptr<Run> publish_recorded(Host& host, const DomainPtr& domain, const ports::RunRecord& record) {
  auto run = std::make_shared<Run>();
  run->id = record.id;
  run->live = record.live;
  run->recorded = record.process;
  run->record = record;
  run->up = true;
  for (const auto& graphics : record.live->devices.graphics)
    if (graphics.on_tcp()) run->ports.push_back(host.tcp_ports.inherit(graphics.port, record.name));
  claim_recorded_images(host, record, *run);
  continue_boot(*run, record.boot);
  run->labels = host.labeler.inherit(*record.live);
  model::DomainView view = domain->view ? *domain->view : model::DomainView{.uuid = domain->uuid, .name = domain->name};
  view.id = record.id;
  view.live = record.live;
  view.state = record.state;
  view.reason = record.reason;
  view.pid = record.process->pid;
  view.boot = run->boot.times;
  domain->run = run;
  host.registry.publish(*domain, std::move(view));
  return run;
}

// What the guest did while no daemon listened.
asio::awaitable<void> catch_up(Host& host, DomainPtr domain, std::shared_ptr<Run> run) {
  const auto deadline = Deadline::in(host.settings.monitor_timeout);
  auto vcpus = co_await run->guest->query_vcpus(deadline);
  if (!vcpus || !run->up) co_return;
  const bool recorded_running = domain->view->state == VIR_DOMAIN_RUNNING;
  run->boot.has_run = run->boot.has_run || *vcpus != ports::Vcpus::NeverRan;
  for (const auto& channel : run->live->devices.channels)
    if (channel.name == kAgentChannel && channel.state == model::ChannelState::connected)
      note_up(host, *domain, *run, model::UpSign::agent, true);
  if (*vcpus == ports::Vcpus::Run) {
    publish_state(host, *domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNKNOWN);
  } else if (*vcpus == ports::Vcpus::NeverRan && recorded_running) {
    // Its daemon ended between recording it and letting it run: the start is brought to its end.
    auto resumed = co_await run->guest->resume(deadline);
    if (resumed || !run->up) co_return;
    log::warn("guest '{}' (id {}) could not be let run: {}", domain->name, run->id, resumed.error().message());
    publish_state(host, *domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN);
  } else if (recorded_running) {
    publish_state(host, *domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_UNKNOWN);
  }
}

asio::awaitable<void> adopt_guest(Host& host, DomainPtr domain, std::shared_ptr<Run> run, ports::RunRecord record,
                                  std::shared_ptr<Wake> first_try) {
  begin_asking(host, domain, run, record.process->pid, false);
  auto pause = kFirstPause;
  for (;;) {
    ports::AdoptSpec spec{.live = record.live,
                          .id = record.id,
                          .monitor_path = record.monitor_path,
                          .runtime_dir = runtime_folder(host, record.id),
                          .log_path = host.settings.log_dir + "/" + domain->name + ".log",
                          .process = *record.process,
                          .deadline = Deadline::in(host.settings.monitor_timeout)};
    auto adopted = co_await host.hypervisor.adopt(std::move(spec), event_sink(host, domain, run));
    if (!run->up) break;  // destroyed meanwhile
    if (adopted) {
      run->guest = std::move(adopted->guest);
      if (adopted->live != run->live) publish_live(host, *domain, *run, std::move(adopted->live));
      log::info("guest '{}' (id {}) runs on and is taken over", domain->name, record.id);
      co_await catch_up(host, domain, run);
      break;
    }
    if (adopted.error().code == VIR_ERR_NO_DOMAIN) {
      ports::GuestEvent gone{.kind = ports::GuestEvent::Kind::Exited};
      gone.detail = adopted.error().message();
      finish_run(host, domain, run, gone);
      break;
    }
    log::warn("guest '{}' (id {}) cannot be taken over yet: {}", domain->name, record.id, adopted.error().message());
    first_try->fire();
    Timer timer(host.core, pause);
    co_await timer.async_wait(asio::use_awaitable);
    if (!run->up) break;
    pause = next_pause(pause);
  }
  first_try->fire();
}

// Takes back what a life that is over has left, its record last.
asio::awaitable<void> clear_away(Host& host, ports::RunRecord record) {
  co_await host.labeler.restore(record.live, Deadline::in(host.settings.end_timeout));
  co_await remove_runtime_folder(host, runtime_folder(host, record.id));
  co_await forget_record(host, record.id);
}

// A recorded guest whose name or UUID another has now: it has ended, or else somebody has changed the database.
asio::awaitable<void> forget_displaced(Host& host, ports::RunRecord record, Error clash, std::shared_ptr<Wake> looked) {
  ports::AdoptSpec spec{.live = record.live,
                        .id = record.id,
                        .monitor_path = record.monitor_path,
                        .runtime_dir = runtime_folder(host, record.id),
                        .log_path = host.settings.log_dir + "/" + record.name + ".log",
                        .process = *record.process,
                        .deadline = Deadline::in(host.settings.monitor_timeout)};
  auto lives = co_await host.hypervisor.adopt(std::move(spec), [](const ports::GuestEvent&) {});
  if (!lives && lives.error().code == VIR_ERR_NO_DOMAIN)
    co_await clear_away(host, record);
  else
    log::error("the running guest '{}' (id {}) is left out: {}", record.name, record.id, clash.message());
  looked->fire();
}

// What has a folder and no record: its record could not be written or was taken back, its folder could not.
Result<std::vector<int>> find_orphans(const std::string& runtime_dir, const std::set<int>& recorded) {
  std::vector<int> orphans;
  std::error_code none;  // no folder yet: no orphans
  for (const auto& entry : std::filesystem::directory_iterator(runtime_dir, none)) {
    const auto name = entry.path().filename().string();
    int id = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (error == std::errc{} && end == name.data() + name.size() && !recorded.contains(id)) orphans.push_back(id);
  }
  return orphans;
}

asio::awaitable<void> sweep_orphans(Host& host, std::set<int> recorded, std::shared_ptr<Wake> swept) {
  const auto deadline = Deadline::in(host.settings.end_timeout);
  std::move_only_function<Result<std::vector<int>>()> find =
      [dir = host.settings.runtime_dir, recorded = std::move(recorded)] { return find_orphans(dir, recorded); };
  auto orphans = co_await host.files.run<std::vector<int>>(std::move(find), deadline);
  if (!orphans) log::error("{}", orphans.error().message());
  for (const int id : orphans.value_or(std::vector<int>{})) {
    if (host.ids.reserved_now(id)) continue;  // a start of this daemon that was quicker than this look
    log::warn("guest id {} has a folder and no record: it is cleared away", id);
    auto gone = co_await host.hypervisor.sweep(monitor_path(host, id), std::nullopt, deadline);
    if (gone)
      co_await remove_runtime_folder(host, runtime_folder(host, id));
    else
      log::error("{}", gone.error().message());
  }
  swept->fire();
}

}  // namespace

asio::awaitable<void> sweep_remains(Host& host, std::shared_ptr<Run>, ports::RunRecord record,
                                    std::shared_ptr<Wake> first_try) {
  for (auto pause = kFirstPause;; pause = next_pause(pause)) {
    auto gone =
        co_await host.hypervisor.sweep(record.monitor_path, record.process, Deadline::in(host.settings.end_timeout));
    if (gone) break;
    log::error("what was left of guest '{}' (id {}) cannot be cleared away yet: {}", record.name, record.id,
               gone.error().message());
    first_try->fire();
    Timer timer(host.core, pause);
    co_await timer.async_wait(asio::use_awaitable);
  }
  co_await clear_away(host, record);
  log::info("what was left of guest '{}' (id {}) is cleared away", record.name, record.id);
  first_try->fire();
}

asio::awaitable<void> recover(Host& host, ports::StoredState stored, Deadline deadline) {
  for (const auto& sentence : stored.unreadable) log::error("{}", sentence);
  for (const auto& entry : stored.definitions) {
    auto claim = host.registry.claim(entry.definition->uuid, entry.definition->name);
    if (!claim) {
      log::error("the definition of '{}' is left out: {}", entry.definition->name, claim.error().message());
      continue;
    }
    model::DomainView view{.uuid = entry.definition->uuid,
                           .name = entry.definition->name,
                           .persistent = entry.definition,
                           .autostart = entry.autostart};
    host.registry.publish(*claim->domain(), std::move(view));
  }
  std::vector<std::shared_ptr<Wake>> first_tries{std::make_shared<Wake>(host.core)};
  std::set<int> recorded(stored.unreadable_runs.begin(), stored.unreadable_runs.end());
  for (const auto& record : stored.runs) recorded.insert(record.id);
  asio::co_spawn(host.core, sweep_orphans(host, std::move(recorded), first_tries.front()), asio::detached);
  // The latest life first. A guest begins one only when the one before has ended, and gets a name only when nobody has
  // it; so where a record has stayed too long, it is the later one that is true.
  std::ranges::sort(stored.runs, std::ranges::greater(), &ports::RunRecord::id);
  std::set<Uuid> seen;
  for (auto& record : stored.runs) {
    auto first_try = std::make_shared<Wake>(host.core);
    first_tries.push_back(first_try);
    const bool is_last = seen.insert(record.uuid).second;
    if (!record.process || !is_last) {
      asio::co_spawn(host.core, sweep_remains(host, nullptr, std::move(record), std::move(first_try)), asio::detached);
      continue;
    }
    auto claim = host.registry.claim(record.uuid, record.name);
    if (!claim) {
      asio::co_spawn(host.core, forget_displaced(host, std::move(record), claim.error(), std::move(first_try)),
                     asio::detached);
      continue;
    }
    auto run = publish_recorded(host, claim->domain(), record);
    asio::co_spawn(host.core, adopt_guest(host, claim->domain(), run, std::move(record), std::move(first_try)),
                   asio::detached);
  }
  for (auto& first_try : first_tries) co_await first_try->wait(deadline);
}

}  // namespace vireo::core
