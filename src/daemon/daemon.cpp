// How the parts are made, connected and taken apart.
#include "daemon/daemon.hpp"

#include <grp.h>
#include <unistd.h>

#include <filesystem>

#include "base/io_thread.hpp"
#include "base/log.hpp"
#include "core/run/run.hpp"
#include "daemon/client_limits.hpp"
#include "daemon/test_driver.hpp"
#include "doors/libvirt/door.hpp"
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "host/linux_host.hpp"
#include "persist/sqlite_store.hpp"
#include "qemu/hypervisor.hpp"
#include "sim/sim_hypervisor.hpp"

namespace vireo::daemon {

namespace lv = doors::libvirt;
namespace fs = std::filesystem;

namespace {

core::Settings core_settings(const Paths& paths, const Config& config) {
  using std::chrono::milliseconds;
  return {.runtime_dir = paths.guest_runtime_dir(),
          .log_dir = paths.guest_log_dir(),
          .lane_timeout = milliseconds(config.lane_timeout_ms),
          .launch_timeout = milliseconds(config.launch_timeout_ms),
          .monitor_timeout = milliseconds(config.monitor_timeout_ms),
          .end_timeout = milliseconds(config.end_timeout_ms),
          .vnc_first_port = config.vnc_first_port,
          .vnc_last_port = config.vnc_last_port,
          .parallel_starts = std::max(4U, 2 * std::thread::hardware_concurrency())};
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

// Every client gets its state; the half that belongs to the core thread ends there.
void welcome(lv::Backends& backends, const asio::any_io_executor& core, lv::Session& session) {
  auto state = std::make_shared<lv::ClientState>(backends);
  session.state = state;
  session.on_close([core, side = state->core_side] { asio::post(core, [side] { side->end(); }); });
}

}  // namespace

struct Daemon::Parts {
  Parts(const Paths& paths, const Config& c, std::unique_ptr<persist::SqliteStore> store,
        std::unique_ptr<persist::SqliteStore> memory)
      : config(c),
        spawners("spawn", static_cast<unsigned>(config.spawn_threads)),
        qemu_store(std::move(store)),
        test_store(std::move(memory)),
        qemu_hypervisor(core.executor(), spawners, probers, facts,
                        {.cache_dir = paths.cache_dir(), .emulator_folder = config.emulator_dir}),
        test_hypervisor(core.executor()),
        qemu(core.executor(), qemu_hypervisor, *qemu_store, facts, labeler, files, images,
             core_settings(paths, config)),
        test(core.executor(), test_hypervisor, *test_store, facts, labeler, files, images,
             core_settings(paths, config)),
        backends{.qemu = qemu, .test = test, .facts = facts, .workers = files},
        table(core.executor()) {
    lv::register_all(table);
    std::vector<asio::any_io_executor> executors;
    for (int i = 0; i < config.door_threads; ++i) {
      door_threads.push_back(std::make_unique<IoThread>("door-" + std::to_string(i)));
      executors.push_back(door_threads.back()->executor());
    }
    door.emplace(std::move(executors), table, client_limits(config),
                 [this](lv::Session& session) { welcome(backends, core.executor(), session); });
  }

  ~Parts() {
    door->stop_accepting();
    if (!door->drain(Deadline::in(std::chrono::milliseconds(config.shutdown_timeout_ms))))
      log::warn("{} calls did not end in time", door->calls_in_flight());
    door->close();
    for (auto& thread : door_threads) thread->end();
    core.end();
    for (auto* workers : {&spawners, &probers, &files, &images}) workers->stop();
    for (auto* store : {qemu_store.get(), test_store.get()}) store->stop();
    // Nothing runs any more; what is suspended goes while all that it refers to exists.
    for (auto& thread : door_threads) thread->stop();
    core.stop();
    for (auto* host : {&qemu, &test}) host->let_go();
  }

  const Config config;
  host::LinuxHost facts;
  IoThread core{"core"};
  std::vector<std::unique_ptr<IoThread>> door_threads;
  Workers spawners;
  Workers probers{"probe", 2};
  Workers files{"files", 4};
  Workers images{"images", 8};
  ports::NoLabeler labeler;
  std::unique_ptr<persist::SqliteStore> qemu_store, test_store;
  qemu::QemuHypervisor qemu_hypervisor;
  sim::SimHypervisor test_hypervisor;
  core::Host qemu, test;
  lv::Backends backends;
  lv::HandlerTable table;
  std::optional<lv::Door> door;
};

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Daemon::~Daemon() = default;

namespace {

Result<void> open_doors(lv::Door& door, const Paths& paths, const Config& config) {
  const fs::path folder = config.libvirt_socket_dir.empty() ? paths.run_dir : config.libvirt_socket_dir;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return fail(VIR_ERR_SYSTEM_ERROR, "cannot create '" + folder.string() + "': " + error.message());
  const fs::path full = folder / "libvirt-sock", read_only = folder / "libvirt-sock-ro";
  using fs::perms;
  const bool shared = !config.libvirt_socket_group.empty();
  const perms mode =
      perms::owner_read | perms::owner_write | (shared ? perms::group_read | perms::group_write : perms::none);
  if (auto ok = door.listen(full, mode, false); !ok) return ok;
  if (shared) {
    const group* entry = ::getgrnam(config.libvirt_socket_group.c_str());
    if (!entry)
      return fail(VIR_ERR_CONF_SYNTAX, "libvirt_socket_group: no group is named '" + config.libvirt_socket_group + "'");
    if (::chown(full.c_str(), static_cast<uid_t>(-1), entry->gr_gid) != 0)
      return fail_errno(errno, "cannot give '" + full.string() + "' to group " + config.libvirt_socket_group);
  }
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
  auto parts = std::make_unique<Parts>(paths, config, std::move(*store), std::move(*memory));
  auto& p = *parts;

  auto stored = p.qemu_store->load(p.facts.boot_id());
  if (!stored) return pass_on(stored);
  const bool autostart_due = stored->first_since_boot;
  log::info("{} definitions, {} guests to take over", stored->definitions.size(), stored->runs.size());
  p.core.start();
  for (auto& thread : p.door_threads) thread->start();
  wait_for(p.core.executor(), core::recover(p.qemu, std::move(*stored), Deadline::in(std::chrono::seconds(10))));
  wait_for(p.core.executor(), start_default_test_guest(p.test));
  if (auto open = open_doors(*p.door, paths, config); !open) return pass_on(open);
  if (autostart_due) asio::co_spawn(p.core.executor(), core::autostart(p.qemu), asio::detached);
  return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

}  // namespace vireo::daemon
