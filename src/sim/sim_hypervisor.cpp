// Simulated guests: a state, a script, and events that arrive in a later turn of the core, as a monitor's would.
#include "sim/sim_hypervisor.hpp"

#include "base/timer.hpp"

namespace vireo::sim {
namespace {

using Kind = ports::GuestEvent::Kind;

struct Inner {
  Inner(asio::any_io_executor c, std::shared_ptr<const Script> s, ProcessPtr p)
      : core(std::move(c)), script(std::move(s)), process(std::move(p)) {}
  asio::any_io_executor core;
  std::shared_ptr<const Script> script;
  ProcessPtr process;
};

// False: the waiting coroutine was cancelled, and must not wait again.
asio::awaitable<bool> sleep(SteadyClock::duration span) {
  if (span.count() == 0) co_return true;
  Timer timer(co_await asio::this_coro::executor, span);
  boost::system::error_code how;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, how));
  co_return !how;
}

Fate fate_of(const Script& script, Step step) { return script.fate ? script.fate(step) : Fate{}; }

std::unexpected<Error> cancelled() { return fail(VIR_ERR_OPERATION_ABORTED, "the simulation was told to stop"); }

// What every command does first: takes its time, or hangs; and fails once the guest has ended.
asio::awaitable<Result<void>> command(std::shared_ptr<Inner> guest, Deadline deadline) {
  if (guest->script->commands_hang) {
    if (!co_await sleep(deadline.time() - SteadyClock::now())) co_return cancelled();
    co_return fail(VIR_ERR_OPERATION_TIMEOUT, "the guest's monitor does not answer");
  }
  const Fate fate = fate_of(*guest->script, Step::Command);
  if (!co_await sleep(guest->script->command_delay + fate.delay)) co_return cancelled();
  if (!guest->process->alive) co_return fail(VIR_ERR_OPERATION_FAILED, "domain is no longer running");
  if (fate.fails) co_return fail(VIR_ERR_OPERATION_TIMEOUT, "the guest's monitor does not answer");
  co_return Result<void>{};
}

class SimGuest final : public ports::Guest {
 public:
  SimGuest(std::shared_ptr<Inner> inner, model::DomainDefPtr live, ports::GuestEventSink sink)
      : inner_(std::move(inner)), live_(std::move(live)) {
    inner_->process->tell = [core = inner_->core, sink = std::move(sink)](ports::GuestEvent event) {
      asio::post(core, [sink, event = std::move(event)] { sink(event); });
    };
  }
  ~SimGuest() override { inner_->process->tell = nullptr; }

  const ports::ProcessIdentity& process() const override { return process_; }

  asio::awaitable<Result<void>> resume(Deadline deadline) override { return set_running(inner_, true, deadline); }
  asio::awaitable<Result<void>> pause(Deadline deadline) override { return set_running(inner_, false, deadline); }
  asio::awaitable<Result<void>> reset(Deadline deadline) override { return reset_guest(inner_, deadline); }
  asio::awaitable<Result<void>> press_power_button(Deadline deadline) override { return press(inner_, deadline); }
  asio::awaitable<Result<std::string>> monitor_command(std::string, bool, Deadline) override { return refuse(); }
  asio::awaitable<Result<ports::Vcpus>> query_vcpus(Deadline deadline) override { return query(inner_, deadline); }
  asio::awaitable<Result<ports::MonitorAnswer>> ask_figures(ports::MonitorQuestion question,
                                                            Deadline deadline) override {
    return figures(inner_, live_, question, deadline);
  }
  asio::awaitable<Result<void>> set_balloon_period(int, Deadline deadline) override {
    return command(inner_, deadline);
  }
  asio::awaitable<Result<void>> start_dirty_rate(int, std::string, Deadline deadline) override {
    return command(inner_, deadline);
  }
  asio::awaitable<Result<std::vector<std::pair<std::string, std::string>>>> query_disk_errors(
      Deadline deadline) override {
    return disk_errors(inner_, deadline);
  }
  asio::awaitable<Result<void>> end(bool, Deadline deadline) override { return end_guest(inner_, deadline); }

 private:
  static asio::awaitable<Result<void>> set_running(std::shared_ptr<Inner> guest, bool on, Deadline deadline) {
    auto done = co_await command(guest, deadline);
    if (!done) co_return done;
    guest->process->has_run = guest->process->has_run || on;
    if (std::exchange(guest->process->running, on) != on)
      guest->process->emit({.kind = on ? Kind::Resumed : Kind::Stopped});
    co_return done;
  }
  static asio::awaitable<Result<void>> reset_guest(std::shared_ptr<Inner> guest, Deadline deadline) {
    auto done = co_await command(guest, deadline);
    if (done) guest->process->emit({.kind = Kind::Reset});
    co_return done;
  }
  static asio::awaitable<Result<void>> press(std::shared_ptr<Inner> guest, Deadline deadline) {
    auto done = co_await command(guest, deadline);
    if (done && !guest->script->ignores_power_button)
      guest->process->emit({.kind = Kind::PowerdownDone, .by_guest = true});
    co_return done;
  }
  static asio::awaitable<Result<std::string>> refuse() {
    co_return fail(VIR_ERR_NO_SUPPORT, "a simulated guest has no monitor");
  }
  static asio::awaitable<Result<ports::Vcpus>> query(std::shared_ptr<Inner> guest, Deadline deadline) {
    auto done = co_await command(guest, deadline);
    if (!done) co_return pass_on(done);
    if (guest->process->running) co_return ports::Vcpus::Run;
    co_return guest->process->has_run ? ports::Vcpus::Stopped : ports::Vcpus::NeverRan;
  }
  // Counters that grow with the clock.
  static asio::awaitable<Result<ports::MonitorAnswer>> figures(std::shared_ptr<Inner> guest, model::DomainDefPtr live,
                                                               ports::MonitorQuestion question, Deadline deadline) {
    const auto& script = *guest->script;
    if (script.asked) script.asked(*live, question);
    while (script.stopped.contains(live->name) && guest->process->alive)
      if (!co_await sleep(std::chrono::milliseconds(1))) co_return cancelled();
    auto done = co_await command(guest, deadline);
    if (!done) co_return pass_on(done);
    if (script.refusing.contains(live->name)) co_return ports::MonitorAnswer{.refusals = {"the guest tells nothing"}};
    const auto ms = static_cast<std::uint64_t>(SteadyClock::now().time_since_epoch() / std::chrono::milliseconds(1));
    ports::MonitorAnswer answer;
    if (question.block) answer.block.emplace();
    if (question.block_facts) answer.block_facts.emplace();
    for (const auto& disk : live->devices.disks) {
      model::ImageCounts counts{.node = disk.target,
                                .reads = ms / 10,
                                .read_bytes = ms * 100,
                                .read_ns = ms * 1000,
                                .writes = ms / 20,
                                .written_bytes = ms * 50,
                                .write_ns = ms * 500};
      if (question.block) answer.block->push_back({.alias = disk.info.alias, .chain = {std::move(counts)}});
      if (question.block_facts)
        answer.block_facts->push_back({.node = disk.target, .file = disk.file, .capacity_bytes = 1ULL << 30});
    }
    if (question.dirty_rate) answer.dirty_rate = model::DirtyRate{.mode = "page-sampling"};
    if (question.balloon) answer.balloon.emplace();
    co_return answer;
  }
  static asio::awaitable<Result<std::vector<std::pair<std::string, std::string>>>> disk_errors(
      std::shared_ptr<Inner> guest, Deadline deadline) {
    auto done = co_await command(guest, deadline);
    if (!done) co_return pass_on(done);
    co_return std::vector<std::pair<std::string, std::string>>{};
  }
  static asio::awaitable<Result<void>> end_guest(std::shared_ptr<Inner> guest, Deadline deadline) {
    const Fate fate = fate_of(*guest->script, Step::End);
    if (!co_await sleep(std::min(fate.delay, deadline.time() - SteadyClock::now()))) co_return cancelled();
    if (fate.fails && guest->process->alive) co_return fail(VIR_ERR_SYSTEM_ERROR, "the guest's process does not end");
    guest->process->die(9);
    co_return Result<void>{};
  }

  std::shared_ptr<Inner> inner_;
  model::DomainDefPtr live_;
  ports::ProcessIdentity process_;
};

}  // namespace

SimHypervisor::SimHypervisor(asio::any_io_executor core, std::shared_ptr<const Script> script,
                             std::shared_ptr<World> world)
    : core_(std::move(core)),
      script_(script ? std::move(script) : std::make_shared<const Script>()),
      world_(world ? std::move(world) : std::make_shared<World>()) {}

asio::awaitable<Result<unsigned long>> SimHypervisor::version() {
  co_return 2UL;  // what libvirt's own test driver answers
}

asio::awaitable<Result<std::string>> SimHypervisor::capabilities_xml() {
  co_return std::string(
      "<capabilities>\n\n  <host>\n    <cpu>\n      <arch>x86_64</arch>\n    </cpu>\n  </host>\n\n"
      "  <guest>\n    <os_type>hvm</os_type>\n    <arch name='x86_64'>\n      <wordsize>64</wordsize>\n"
      "      <domain type='test'/>\n    </arch>\n  </guest>\n\n</capabilities>\n");
}

asio::awaitable<Result<model::DomainDef>> SimHypervisor::complete(model::DomainDef definition) {
  if (definition.type != model::VirtType::test)
    co_return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                   "unexpected domain type " + std::string(model::name_of(definition.type)) + ", expecting test");
  if (definition.current_memory_kib == 0) definition.current_memory_kib = definition.memory_kib;
  if (definition.os.arch.empty()) definition.os.arch = "x86_64";
  if (definition.vcpu_placement.empty()) definition.vcpu_placement = "static";
  co_return definition;
}

asio::awaitable<Result<ports::Launched>> SimHypervisor::launch(ports::LaunchSpec spec, ports::GuestEventSink sink) {
  const Fate spawn = fate_of(*script_, Step::Spawn);
  if (!co_await sleep(script_->launch_delay + spawn.delay)) co_return cancelled();
  if (script_->launch_fails || spawn.fails)
    co_return fail(VIR_ERR_INTERNAL_ERROR, "the simulation was told to fail this launch");
  // From here on there is a process, also for the next daemon if this one ends.
  auto process = world_->spawn(spec.definition->uuid, spec.id, spec.monitor_path);
  const Fate handshake = fate_of(*script_, Step::Handshake);
  const bool waited = co_await sleep(handshake.delay);
  if (!waited || handshake.fails) process->die(9);
  if (!waited) co_return cancelled();
  if (!process->alive) co_return fail(VIR_ERR_INTERNAL_ERROR, "the simulated guest ended while it was being started");
  auto inner = std::make_shared<Inner>(core_, script_, std::move(process));
  ports::Launched launched{.guest = std::make_unique<SimGuest>(std::move(inner), spec.definition, std::move(sink)),
                           .live = spec.definition};
  co_return launched;
}

asio::awaitable<Result<ports::Launched>> SimHypervisor::adopt(ports::AdoptSpec spec, ports::GuestEventSink sink) {
  const Fate fate = fate_of(*script_, Step::Adopt);
  if (!co_await sleep(fate.delay)) co_return cancelled();
  auto process = world_->find(spec.monitor_path);
  if (!process) co_return fail(VIR_ERR_NO_DOMAIN, "the simulated guest id " + std::to_string(spec.id) + " has ended");
  if (fate.fails) co_return fail(VIR_ERR_OPERATION_TIMEOUT, "the guest's monitor does not answer");
  auto inner = std::make_shared<Inner>(core_, script_, std::move(process));
  ports::Launched launched{.guest = std::make_unique<SimGuest>(std::move(inner), spec.live, std::move(sink)),
                           .live = spec.live};
  co_return launched;
}

asio::awaitable<Result<void>> SimHypervisor::sweep(std::string monitor_path, std::optional<ports::ProcessIdentity>,
                                                   Deadline) {
  const Fate fate = fate_of(*script_, Step::Sweep);
  if (!co_await sleep(fate.delay)) co_return cancelled();
  if (fate.fails) co_return fail(VIR_ERR_SYSTEM_ERROR, "the guest's process does not end");
  if (auto process = world_->find(monitor_path)) process->die(9);
  co_return Result<void>{};
}

}  // namespace vireo::sim
