// Simulated guests: a state, a script, and events that arrive in a later turn of the core, as a monitor's would.
#include "sim/sim_hypervisor.hpp"

namespace vireo::sim {
namespace {

using Kind = ports::GuestEvent::Kind;

struct Inner {
  asio::any_io_executor core;
  std::shared_ptr<const Script> script;
  std::shared_ptr<int> running_guests;
  ports::GuestEventSink sink;
  bool alive = true, running = false;

  void emit(ports::GuestEvent event) {
    asio::post(core, [sink = sink, event = std::move(event)] { sink(event); });
  }
  void die(int signal) {
    if (!std::exchange(alive, false)) return;
    --*running_guests;
    emit({.kind = Kind::Exited, .exit_signal = signal});
  }
};

asio::awaitable<void> sleep(std::chrono::milliseconds span) {
  if (span.count() == 0) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor, span);
  co_await timer.async_wait(asio::use_awaitable);
}

// What every command does first: takes its time, or hangs; and fails once the guest has ended.
asio::awaitable<Result<void>> command(std::shared_ptr<Inner> guest, Deadline deadline) {
  if (guest->script->commands_hang) {
    asio::steady_timer timer(guest->core, deadline.time());
    co_await timer.async_wait(asio::use_awaitable);
    co_return fail(VIR_ERR_OPERATION_TIMEOUT, "the guest's monitor does not answer");
  }
  co_await sleep(guest->script->command_delay);
  if (!guest->alive) co_return fail(VIR_ERR_OPERATION_FAILED, "domain is no longer running");
  co_return Result<void>{};
}

class SimGuest final : public ports::Guest {
 public:
  explicit SimGuest(std::shared_ptr<Inner> inner) : inner_(std::move(inner)) {}

  const ports::ProcessIdentity& process() const override { return process_; }

  asio::awaitable<Result<void>> resume(Deadline deadline) override { return set_running(inner_, true, deadline); }
  asio::awaitable<Result<void>> pause(Deadline deadline) override { return set_running(inner_, false, deadline); }
  asio::awaitable<Result<void>> reset(Deadline deadline) override { return reset_guest(inner_, deadline); }
  asio::awaitable<Result<void>> press_power_button(Deadline deadline) override { return press(inner_, deadline); }
  asio::awaitable<Result<std::string>> monitor_command(std::string, bool, Deadline) override { return refuse(); }
  asio::awaitable<Result<bool>> query_running(Deadline deadline) override { return query(inner_, deadline); }
  asio::awaitable<Result<void>> end(bool, Deadline) override { return end_guest(inner_); }

 private:
  static asio::awaitable<Result<void>> set_running(std::shared_ptr<Inner> guest, bool on, Deadline deadline) {
    auto done = co_await command(guest, deadline);
    if (!done) co_return done;
    if (std::exchange(guest->running, on) != on) guest->emit({.kind = on ? Kind::Resumed : Kind::Stopped});
    co_return done;
  }
  static asio::awaitable<Result<void>> reset_guest(std::shared_ptr<Inner> guest, Deadline deadline) {
    auto done = co_await command(guest, deadline);
    if (done) guest->emit({.kind = Kind::Reset});
    co_return done;
  }
  static asio::awaitable<Result<void>> press(std::shared_ptr<Inner> guest, Deadline deadline) {
    auto done = co_await command(guest, deadline);
    if (done && !guest->script->ignores_power_button) guest->emit({.kind = Kind::PowerdownDone, .by_guest = true});
    co_return done;
  }
  static asio::awaitable<Result<std::string>> refuse() {
    co_return fail(VIR_ERR_NO_SUPPORT, "a simulated guest has no monitor");
  }
  static asio::awaitable<Result<bool>> query(std::shared_ptr<Inner> guest, Deadline deadline) {
    auto done = co_await command(guest, deadline);
    if (!done) co_return pass_on(done);
    co_return guest->running;
  }
  static asio::awaitable<Result<void>> end_guest(std::shared_ptr<Inner> guest) {
    guest->die(9);
    co_return Result<void>{};
  }

  std::shared_ptr<Inner> inner_;
  ports::ProcessIdentity process_;
};

}  // namespace

SimHypervisor::SimHypervisor(asio::any_io_executor core, std::shared_ptr<const Script> script)
    : core_(std::move(core)), script_(script ? std::move(script) : std::make_shared<const Script>()) {}

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
  co_await sleep(script_->launch_delay);
  if (script_->launch_fails) co_return fail(VIR_ERR_INTERNAL_ERROR, "the simulation was told to fail this launch");
  auto inner = std::make_shared<Inner>();
  inner->core = core_;
  inner->script = script_;
  inner->running_guests = running_;
  inner->sink = std::move(sink);
  ++*running_;
  ports::Launched launched{.guest = std::make_unique<SimGuest>(std::move(inner)), .live = spec.definition};
  co_return launched;
}

asio::awaitable<Result<ports::Launched>> SimHypervisor::adopt(ports::AdoptSpec spec, ports::GuestEventSink) {
  co_return fail(VIR_ERR_NO_DOMAIN, "the simulated guest id " + std::to_string(spec.id) + " ended with its daemon");
}

asio::awaitable<Result<void>> SimHypervisor::sweep(std::string, Deadline) { co_return Result<void>{}; }

}  // namespace vireo::sim
