// How the parts are made, connected and taken apart.
#include "daemon/daemon.hpp"

#include <grp.h>
#include <unistd.h>

#include <filesystem>

#include "base/io_thread.hpp"
#include "base/log.hpp"
#include "core/run/run.hpp"
#include "core/stats/guest_history.hpp"
#include "daemon/client_limits.hpp"
#include "daemon/configuration.hpp"
#include "daemon/confinement.hpp"
#include "daemon/test_driver.hpp"
#include "daemon/tree_service.hpp"
#include "doors/http/door.hpp"
#include "doors/libvirt/door.hpp"
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "host/linux_host.hpp"
#include "host/proc_meters.hpp"
#include "persist/sqlite_store.hpp"
#include "persist/sqlite_tree_store.hpp"
#include "qemu/hypervisor.hpp"
#include "sim/sim_hypervisor.hpp"
#include "sim/sim_meters.hpp"

namespace vireo::daemon {

namespace http = doors::http;
namespace lv = doors::libvirt;
namespace fs = std::filesystem;

namespace {

core::Settings core_settings(std::string runtime_dir, const Paths& paths, const Config& config) {
  using std::chrono::milliseconds;
  return {.runtime_dir = std::move(runtime_dir),
          .log_dir = paths.guest_log_dir(),
          .lane_timeout = milliseconds(config.lane_timeout_ms),
          .launch_timeout = milliseconds(config.launch_timeout_ms),
          .monitor_timeout = milliseconds(config.monitor_timeout_ms),
          .end_timeout = milliseconds(config.end_timeout_ms),
          .vnc_first_port = config.vnc_first_port,
          .vnc_last_port = config.vnc_last_port,
          .spice_first_port = config.spice_first_port,
          .spice_last_port = config.spice_last_port,
          .parallel_starts = static_cast<unsigned>(config.parallel_starts),
          .autostart_parallel = static_cast<unsigned>(config.autostart_parallel),
          .stats_deadline = milliseconds(config.stats_deadline_ms),
          .sample_period = milliseconds(config.sample_period_ms),
          .keep_history = config.history};
}

Result<void> make_folders(const Paths& paths) {
  for (const auto& dir : {paths.run_dir, paths.lib_dir, paths.log_dir, paths.guest_runtime_dir(), paths.guest_log_dir(),
                          paths.cache_dir()}) {
    std::error_code error;
    fs::create_directories(dir, error);
    if (error) return fail(VIR_ERR_SYSTEM_ERROR, "cannot create '" + dir + "': " + error.message());
  }
  // The run folder is open to all for the read-only socket; what is private has a mode of its own.
  fs::permissions(paths.lib_dir, fs::perms::owner_all);
  return {};
}

// Runs a coroutine on the core thread and waits for it, which only the thread that starts the daemon may do.
template <class T>
T wait_for(const asio::any_io_executor& executor, asio::awaitable<T> work) {
  return asio::co_spawn(executor, std::move(work), asio::use_future).get();
}

qemu::QemuOptions with_models(qemu::QemuOptions options, std::vector<ports::SecurityModel> models) {
  options.security_models = std::move(models);
  return options;
}

// Every client gets its state; the half that belongs to the core thread ends there.
void welcome(lv::Backends& backends, const asio::any_io_executor& core, lv::Session& session) {
  auto state = std::make_shared<lv::ClientState>(backends);
  session.state = state;
  session.on_close([core, side = state->core_side] { asio::post(core, [side] { side->end(); }); });
}

}  // namespace

struct Daemon::Parts {
  Parts(const Paths& paths, const Config& config, Confinement confinement, std::unique_ptr<persist::SqliteStore> store,
        std::unique_ptr<persist::SqliteStore> memory, TreeService::Kept kept)
      : spawners("spawn", static_cast<unsigned>(config.spawn_threads)),
        labels("labels", static_cast<unsigned>(config.label_threads)),
        labeler(make_labeler(confinement, paths, labels, facts.boot_id())),
        qemu_store(std::move(store)),
        test_store(std::move(memory)),
        qemu_hypervisor(core.executor(), spawners, probers, facts,
                        with_models(std::move(confinement.qemu), labeler->models())),
        test_hypervisor(core.executor()),
        qemu(core.executor(), qemu_hypervisor, *qemu_store, facts, *labeler, files, images,
             {.meters = proc_meters, .workers = meters}, core_settings(paths.guest_runtime_dir(), paths, config)),
        test(core.executor(), test_hypervisor, *test_store, facts, no_labeler, files, images,
             {.meters = sim_meters, .workers = meters}, core_settings(paths.test_runtime_dir(), paths, config)),
        backends{.qemu = qemu, .test = test, .facts = facts, .workers = files},
        table(core.executor()),
        configuration(core.executor(), files, paths, config,
                      [this, paths](const Config& next) { take_up(paths, next); }),
        services{.host = qemu,
                 .core_loop = core_meter,
                 .facts = [this] { return daemon_facts(); },
                 .reload = [this] { return reload(this); },
                 .latencies = [this] { return latencies(); },
                 .scrapes = scrapes} {
    lv::register_all(table);
    if (config.xenstore) tree.emplace(qemu, std::move(kept));
    std::vector<asio::any_io_executor> executors;
    for (int i = 0; i < config.door_threads; ++i) {
      door_threads.push_back(std::make_unique<IoThread>("door-" + std::to_string(i)));
      executors.push_back(door_threads.back()->executor());
    }
    door.emplace(executors, table, client_limits(config),
                 [this](lv::Session& session) { welcome(backends, core.executor(), session); });
    http_door.emplace(executors, core.executor(), services, http::Limits{});
    // Whoever is on this host may use it, so it has little to give.
    if (!config.metrics_listen.empty())
      metrics_door.emplace(std::move(executors), core.executor(), services,
                           http::Limits{.connections = 8, .write_timeout = std::chrono::seconds(10)},
                           http::public_routes(), "metrics");
  }

  ~Parts() {
    door->close();
    http_door->close();
    if (metrics_door) metrics_door->close();
    if (tree) tree->close();
    for (auto& thread : door_threads) thread->end();
    core.end();
    if (tree) tree->end();
    qemu_hypervisor.stop();
    for (auto* workers : {&spawners, &probers, &files, &images, &meters, &labels, &scrapes}) workers->stop();
    for (auto* store : {qemu_store.get(), test_store.get()}) store->stop();
    // Nothing runs any more; what is suspended goes while all that it refers to exists.
    for (auto& thread : door_threads) thread->stop();
    core.stop();
    if (tree) tree->stop();
    for (auto* host : {&qemu, &test}) host->let_go();
  }

  // Core thread: what of a configuration can change while the daemon runs.
  void take_up(const Paths& paths, const Config& config) {
    qemu.set(core_settings(paths.guest_runtime_dir(), paths, config));
    test.set(core_settings(paths.test_runtime_dir(), paths, config));
    door->set_limits(client_limits(config));
    spdlog::set_level(spdlog::level::from_str(config.log_level));
  }

  // Any thread.
  http::DaemonFacts daemon_facts() const {
    http::DaemonFacts out{.version = VIREO_VERSION,
                          .pid = ::getpid(),
                          .uptime = std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - began),
                          .counters = http_door->counters()};
    if (metrics_door)
      for (const auto& count : metrics_door->counters()) out.counters.push_back(count);
    for (const auto& count : door->counts()) out.counters.push_back({"libvirt", count.name, count.value});
    if (tree)
      for (const auto& count : tree->counters()) out.counters.push_back(count);
    const auto starts = qemu.admission.figures();
    out.counters.push_back({"starts", "allowed_at_once", starts.limit});
    out.counters.push_back({"starts", "under_way", starts.inside});
    out.counters.push_back({"starts", "waiting", starts.waiting});
    return out;
  }

  // Any thread.
  std::vector<http::Latency> latencies() const {
    std::vector<http::Latency> out;
    for (const auto& each : door->latencies()) out.push_back({.procedure = each.procedure, .took = each.took});
    return out;
  }

  static asio::awaitable<Result<http::Reloaded>> reload(Parts* self) {
    auto done = co_await self->configuration.reload();
    if (!done) co_return pass_on(done);
    co_return http::Reloaded{.file = self->configuration.file(),
                             .changed = std::move(done->changed),
                             .at_next_start = std::move(done->at_next_start)};
  }

  const SteadyClock::time_point began = SteadyClock::now();
  host::LinuxHost facts;
  LoopMeter core_meter;
  IoThread core{"core", &core_meter};
  std::vector<std::unique_ptr<IoThread>> door_threads;
  Workers spawners;
  Workers probers{"probe", 8};  // several, because a binary may hang while it is asked
  Workers files{"files", 4};
  Workers images{"images", 8};
  Workers meters{"meters", 2};    // they read what the kernel counts
  Workers scrapes{"scrapes", 1};  // who asks for many is one of those who wait
  Workers labels;                 // its own: a label that hangs keeps nobody else
  ports::NoLabeler no_labeler;
  host::ProcMeters proc_meters;
  sim::SimMeters sim_meters;
  std::unique_ptr<ports::Labeler> labeler;
  std::unique_ptr<persist::SqliteStore> qemu_store, test_store;
  qemu::QemuHypervisor qemu_hypervisor;
  sim::SimHypervisor test_hypervisor;
  core::Host qemu, test;
  lv::Backends backends;
  lv::HandlerTable table;
  Configuration configuration;
  http::Services services;
  std::optional<lv::Door> door;
  std::optional<http::Door> http_door, metrics_door;
  std::optional<TreeService> tree;  // none: it is not wanted
};

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() = default;

void Daemon::reload() {
  // What went wrong stands in the log already.
  if (!wait_for(parts_->core.executor(), parts_->configuration.reload())) log::info("the settings are as before");
}

std::chrono::milliseconds Daemon::shutdown_timeout() const {
  return std::chrono::milliseconds(parts_->configuration.now()->shutdown_timeout_ms);
}

bool Daemon::drain(Deadline deadline) {
  auto& p = *parts_;
  p.door->stop_accepting();
  p.http_door->stop_accepting();
  if (p.metrics_door) p.metrics_door->stop_accepting();
  // The other gates must not stay open while the calls inside the first are waited for.
  const auto at_once = Deadline::in(std::chrono::milliseconds(0));
  (void)p.http_door->drain(at_once);
  if (p.tree) (void)p.tree->drain(at_once);
  return p.door->drain(deadline) && p.http_door->drain(deadline) && (!p.tree || p.tree->drain(deadline));
}

namespace {

Result<void> give_to_group(const fs::path& path, const std::string& name) {
  const group* entry = ::getgrnam(name.c_str());
  if (!entry) return fail(VIR_ERR_CONF_SYNTAX, "libvirt_socket_group: no group is named '" + name + "'");
  if (::chown(path.c_str(), static_cast<uid_t>(-1), entry->gr_gid) != 0)
    return fail_errno(errno, "cannot give '" + path.string() + "' to group " + name);
  return {};
}

// Who may come to the sockets that can change something.
fs::perms full_access(const Config& config) {
  using fs::perms;
  const bool shared = !config.libvirt_socket_group.empty();
  return perms::owner_read | perms::owner_write | (shared ? perms::group_read | perms::group_write : perms::none);
}

Result<TreeService::Kept> open_tree_store(const Paths& paths, const Config& config) {
  using Durable = persist::SqliteTreeStore::Durable;
  if (!config.xenstore || config.tree_journal == "off") return TreeService::Kept{};
  const bool sync = config.tree_journal == "sync";
  auto store = persist::SqliteTreeStore::open(paths.tree_database(), sync ? Durable::at_once : Durable::soon);
  if (!store)
    return fail(store.error().code, store.error().detail + "; move the file away to begin with an empty tree");
  return TreeService::Kept{.store = std::move(*store),
                           .mode = sync ? TreeJournal::Mode::sync : TreeJournal::Mode::behind};
}

Result<void> open_tree(TreeService& tree, const Paths& paths, const Config& config) {
  if (auto ok = tree.listen(paths.xenstore_socket(), full_access(config)); !ok) return ok;
  if (config.libvirt_socket_group.empty()) return {};
  return give_to_group(paths.xenstore_socket(), config.libvirt_socket_group);
}

Result<void> open_doors(lv::Door& door, http::Door& http_door, const Paths& paths, const Config& config) {
  const fs::path folder = config.libvirt_socket_dir.empty() ? paths.run_dir : config.libvirt_socket_dir;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(VIR_ERR_SYSTEM_ERROR, "cannot create '" + folder.string() + "': " + error.message());
  const fs::path full = folder / "libvirt-sock", read_only = folder / "libvirt-sock-ro";
  const auto mode = full_access(config);
  if (auto ok = http_door.listen(paths.http_socket(), mode); !ok) return ok;
  if (auto ok = door.listen(full, mode, false); !ok) return ok;
  if (!config.libvirt_socket_group.empty()) {
    for (const auto& path : {full, fs::path(paths.http_socket())})
      if (auto given = give_to_group(path, config.libvirt_socket_group); !given) return given;
  }
  using fs::perms;
  return door.listen(read_only, perms::all & ~(perms::owner_exec | perms::group_exec | perms::others_exec), true);
}

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::start(const Paths& paths, const Config& config) {
  if (auto made = make_folders(paths); !made) return pass_on(made);
  raise_descriptor_limit();
  auto store = persist::SqliteStore::open(paths.database());
  if (!store) return pass_on(store);
  auto memory = persist::SqliteStore::open(":memory:");
  if (!memory) return pass_on(memory);
  auto kept = open_tree_store(paths, config);
  if (!kept) return pass_on(kept);
  auto confinement = confine(paths, config);
  if (!confinement) return pass_on(confinement);
  auto parts = std::make_unique<Parts>(paths, config, std::move(*confinement), std::move(*store), std::move(*memory),
                                       std::move(*kept));
  auto& p = *parts;

  auto stored = p.qemu_store->load(p.facts.boot_id());
  if (!stored) return pass_on(stored);
  const bool autostart_due = stored->first_since_boot;
  log::info("{} definitions, {} guests to take over", stored->definitions.size(), stored->runs.size());
  p.core.start();
  for (auto& thread : p.door_threads) thread->start();
  wait_for(p.core.executor(), core::recover(p.qemu, std::move(*stored), Deadline::in(std::chrono::seconds(10))));
  wait_for(p.core.executor(), start_default_test_guest(p.test));
  if (p.tree) {
    if (auto started = p.tree->start(); !started) return pass_on(started);
    if (auto open = open_tree(*p.tree, paths, config); !open) return pass_on(open);
  }
  if (auto open = open_doors(*p.door, *p.http_door, paths, config); !open) return pass_on(open);
  if (p.metrics_door) {
    auto address = parse_loopback(config.metrics_listen);
    if (!address) return pass_on(address);
    if (auto port = p.metrics_door->listen(*address); !port) return pass_on(port);
    log::info("metrics are at http://{}/metrics", config.metrics_listen);
  }
  asio::post(p.core.executor(), [&p] {
    p.qemu.sampler.start([&p](const core::DomainPtr& guest) { core::remember(p.qemu, guest); });
    p.test.sampler.start({});  // whose guests nobody can ask for
  });
  if (autostart_due) asio::co_spawn(p.core.executor(), core::autostart(p.qemu), asio::detached);
  return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

}  // namespace vireo::daemon
