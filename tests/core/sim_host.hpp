// A whole core on the simulated hypervisor, with its threads: what the tests of verbs and of concurrency work on.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "base/io_thread.hpp"
#include "base/test_files.hpp"
#include "core/run/run.hpp"
#include "core/verbs/verbs.hpp"
#include "persist/sqlite_store.hpp"
#include "sim/sim_hypervisor.hpp"
#include "sim/sim_meters.hpp"
#include "tests/core/fake_facts.hpp"

namespace vireo::tests {

class SimHost {
 public:
  // `database`: ":memory:", or a file that a later SimHost opens again; the guests' folders are then kept beside it.
  // `world`: where guests run on when the next SimHost comes; none: they end with this one.
  explicit SimHost(const std::string& database = ":memory:", std::shared_ptr<sim::World> world = nullptr)
      : keeps_folder_(database != ":memory:"),
        folder_(keeps_folder_ ? std::filesystem::path(database + ".run") : std::filesystem::path(own_folder_.path())),
        store_(persist::SqliteStore::open(database).value()),
        hypervisor_(core_.executor(), script, std::move(world)),
        host(core_.executor(), hypervisor_, *store_, facts, labeler_, files_, images_,
             {.meters = meters_, .workers = files_},
             {.runtime_dir = folder_.string(),
              .log_dir = folder_.string(),
              .lane_timeout = std::chrono::seconds(20),
              .launch_timeout = std::chrono::seconds(20)}) {
    host_events_ = host.events.subscribe([this](const model::DomainEvent& event) {
      if (const auto* lifecycle = std::get_if<model::LifecycleEvent>(&event.what))
        events.emplace_back(event.name, lifecycle->event, lifecycle->detail);
    });
    core_.start();
  }
  ~SimHost() {
    core_.end();
    files_.stop();
    images_.stop();
    store_->stop();
    core_.stop();
    host_events_.reset();
    host.let_go();
  }

  // Runs a verb on the core thread and waits for its answer.
  template <class T>
  T run(asio::awaitable<T> verb) {
    return asio::co_spawn(core_.executor(), std::move(verb), asio::use_future).get();
  }
  template <class T>
  std::future<T> begin(asio::awaitable<T> verb) {
    return asio::co_spawn(core_.executor(), std::move(verb), asio::use_future);
  }
  // Does what is no verb on the core thread, and waits for it.
  template <class Work>
  auto on_core(Work work) {
    return asio::post(core_.executor(), asio::use_future(std::move(work))).get();
  }
  // Until everything that the core has been told so far is done, and what has ended is cleared away.
  void settle() {
    while (on_core([this] { return host.cleaning_up; }) != 0) {
    }
    for (int i = 0; i < 20; ++i) asio::post(core_.executor(), asio::use_future).get();
  }

  model::DomainViewPtr see(const core::DomainRef& ref) {
    const auto version = host.registry.versions().snapshot();
    const auto* found = version->by_uuid.find(ref.uuid);
    return found ? *found : nullptr;
  }
  // Where each life has its folder.
  const std::filesystem::path& folder() const { return folder_; }
  int simulated_processes() {
    return on_core([this] { return hypervisor_.running(); });
  }

  struct Seen {
    Seen(std::string n, int e, int d) : name(std::move(n)), event(e), detail(d) {}
    std::string name;
    int event, detail;
    bool operator==(const Seen&) const = default;
    friend void PrintTo(const Seen& seen, std::ostream* out) {
      *out << seen.name << " event " << seen.event << " detail " << seen.detail;
    }
  };

 private:
  bool keeps_folder_;
  const Folder own_folder_;
  std::filesystem::path folder_;
  IoThread core_{"core"};
  Workers files_{"files", 2};
  Workers images_{"images", 8};
  ports::NoLabeler labeler_;
  sim::SimMeters meters_;
  std::unique_ptr<persist::SqliteStore> store_;

 public:
  std::shared_ptr<sim::Script> script = std::make_shared<sim::Script>();
  FakeFacts facts;  // to be set before anybody asks

 private:
  sim::SimHypervisor hypervisor_;
  std::unique_ptr<core::EventHub::Subscription> host_events_;

 public:
  core::Host host;
  std::vector<Seen> events;  // lifecycle events; read after settle()
};

inline model::DomainDef definition(const std::string& name, Uuid uuid = Uuid::random()) {
  model::DomainDef def;
  def.type = model::VirtType::test;
  def.name = name;
  def.uuid = uuid;
  def.memory_kib = 1024;
  def.os.type = "hvm";
  return def;
}

// What the file of a store has, as the next daemon would read it. Nothing, and a failed test, when it cannot be read.
inline ports::StoredState rows_of(const std::string& database) {
  auto store = persist::SqliteStore::open(database);
  auto rows = store ? (*store)->load("fake") : Result<ports::StoredState>(pass_on(store));
  EXPECT_TRUE(rows) << rows.error().message();
  return rows ? *std::move(rows) : ports::StoredState{};
}

// Looks again and again, for as long as nothing takes that does not hang.
template <class Condition>
bool wait_until(Condition condition) {
  const auto deadline = Deadline::in(std::chrono::seconds(20));
  while (!condition() && !deadline.passed()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return condition();
}

inline core::DomainRef ref_of(const model::DomainDef& def) { return {.uuid = def.uuid, .name = def.name}; }

}  // namespace vireo::tests
