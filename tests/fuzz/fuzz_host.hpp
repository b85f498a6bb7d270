// A host for one input of the session's fuzzer: core and simulated guests on one thread, a store that forgets, and two
// guests of the name and UUID that the recordings speak of, one for each driver, running.
#pragma once

#include <filesystem>

#include "base/log.hpp"
#include "core/host.hpp"
#include "core/verbs/verbs.hpp"
#include "sim/sim_hypervisor.hpp"
#include "sim/sim_meters.hpp"
#include "tests/fuzz/expect.hpp"

namespace vireo::fuzz {

class ForgetfulStore final : public ports::DefinitionStore {
 public:
  Result<ports::StoredState> load(const std::string&) override { return {}; }
  asio::awaitable<Result<void>> save_definition(ports::StoredDefinition) override { return well(); }
  asio::awaitable<Result<void>> remove_definition(Uuid) override { return well(); }
  asio::awaitable<Result<void>> save_run(ports::RunRecord) override { return well(); }
  asio::awaitable<Result<void>> save_run_state(int, int, int) override { return well(); }
  asio::awaitable<Result<void>> save_boot(model::BootTimesPtr) override { return well(); }
  asio::awaitable<Result<void>> remove_run(int) override { return well(); }
  asio::awaitable<Result<int>> reserve_ids(int count) override {
    return first_id(std::exchange(next_id_, next_id_ + count));
  }

 private:
  static asio::awaitable<Result<void>> well() { co_return Result<void>{}; }
  static asio::awaitable<Result<int>> first_id(int id) { co_return id; }
  int next_id_ = 1;
};

class FixedFacts final : public ports::HostFacts {
 public:
  const std::string& hostname() const override { return name_; }
  const std::string& boot_id() const override { return name_; }
  ports::NodeInfo node() const override { return {.cpu_model = "x86_64", .memory_kib = 4096, .cpus = 2}; }
  const std::string& capabilities_host_xml() const override { return name_; }
  std::uint64_t process_cpu_time_ns(pid_t) const override { return 0; }

 private:
  std::string name_ = "fuzz";
};

// What lives as long as the program: threads and a folder are too slow to make for each input.
struct Surroundings {
  Surroundings() {
    std::string made = (std::filesystem::temp_directory_path() / "vireo-fuzz-XXXXXX").string();
    expect(::mkdtemp(made.data()) != nullptr, "a folder can be made");
    folder = made;
  }
  ~Surroundings() {
    workers.stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::string folder;
  FixedFacts facts;
  ports::NoLabeler labeler;
  sim::SimMeters meters;
  Workers workers{"fuzz", 1};
};

class FuzzHost {
 public:
  FuzzHost(asio::io_context& context, Surroundings& around)
      : hypervisor_(context.get_executor()),
        host(context.get_executor(), hypervisor_, store_, around.facts, around.labeler, around.workers, around.workers,
             {.meters = around.meters, .workers = around.workers},
             {.runtime_dir = around.folder, .log_dir = around.folder}) {
    model::DomainDef def;
    def.type = model::VirtType::test;
    def.name = "wire-1";
    def.uuid = *Uuid::parse("b95badf0-fee5-4c9a-90ee-e9f3b639e36a");
    def.memory_kib = 1024;
    def.os.type = "hvm";
    asio::co_spawn(context, begin(host, std::move(def)), asio::detached);
  }
  ~FuzzHost() { host.let_go(); }

 private:
  static asio::awaitable<void> begin(core::Host& host, model::DomainDef def) {
    const core::DomainRef ref{.uuid = def.uuid, .name = def.name};
    auto defined = co_await core::define(host, std::move(def));
    expect(defined.has_value(), "the guest can be defined");
    auto started = co_await core::start(host, ref, {});
    expect(started.has_value(), "the guest can be started");
  }

  ForgetfulStore store_;
  sim::SimHypervisor hypervisor_;

 public:
  core::Host host;
};

}  // namespace vireo::fuzz
