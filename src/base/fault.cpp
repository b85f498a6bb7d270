// Counting the points and doing what the plan says.
#include "base/fault.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "base/fd.hpp"

namespace vireo::fault {

std::atomic<bool> armed{false};

struct Armed::State {
  std::optional<Plan> plan;
  unsigned matched = 0;
  bool hit = false;
  std::vector<std::string> passed;
  Fd log;
};

namespace {

// Points are passed on every thread; tests only, so one mutex does.
std::mutex mutex;

std::unexpected<Error> not_understood(std::string_view text) {
  return fail_from(VIR_FROM_CONF, VIR_ERR_CONF_SYNTAX,
                   "VIREO_FAULT='" + std::string(text) + "' is not NAME[:N]=fail|kill, #N=fail|kill or NAME=delay:MS");
}

Result<Plan> parse(std::string_view text) {
  const auto equals = text.rfind('=');
  if (equals == std::string_view::npos) return not_understood(text);
  Plan plan;
  auto action = text.substr(equals + 1);
  constexpr std::string_view kDelay = "delay:";
  if (action.starts_with(kDelay)) {
    action.remove_prefix(kDelay.size());
    const auto [end, error] = std::from_chars(action.data(), action.data() + action.size(), plan.delay_ms);
    plan.name = text.substr(0, equals);
    plan.action = Action::Delay;
    if (error != std::errc{} || end != action.data() + action.size() || plan.name.empty() ||
        plan.name.find_first_of(":#") != std::string::npos)
      return not_understood(text);
    return plan;
  }
  if (action != "fail" && action != "kill") return not_understood(text);
  plan.action = action == "kill" ? Action::Kill : Action::Fail;
  const auto where = text.substr(0, equals);
  const auto mark = where.find_first_of(":#");
  plan.name = where.substr(0, mark);
  if (mark != std::string_view::npos) {
    const auto number = where.substr(mark + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), plan.nth);
    if (error != std::errc{} || end != number.data() + number.size() || plan.nth == 0) return not_understood(text);
  }
  return plan;
}

}  // namespace

// What is armed now; guarded by the mutex.
static std::shared_ptr<Armed::State>& current() {
  static std::shared_ptr<Armed::State> state;
  return state;
}

Armed::Armed() : state_(std::make_shared<State>()) {
  const std::lock_guard hold(mutex);
  current() = state_;
  armed = true;
}

Armed::Armed(Plan plan) : Armed() {
  const std::lock_guard hold(mutex);
  state_->plan = std::move(plan);
}

Armed::~Armed() {
  const std::lock_guard hold(mutex);
  current() = nullptr;
  armed = false;
}

bool Armed::hit() const {
  const std::lock_guard hold(mutex);
  return state_->hit;
}

std::vector<std::string> Armed::passed() const {
  const std::lock_guard hold(mutex);
  return state_->passed;
}

namespace {

// What is to be done at this point; taken under the mutex, done without it.
std::optional<Plan> due(const char* name) {
  const std::lock_guard hold(mutex);
  const auto& state = current();
  if (!state) return std::nullopt;
  state->passed.emplace_back(name);
  if (state->log) {
    const std::string line = std::string(name) + "\n";
    [[maybe_unused]] const auto written = ::write(state->log.get(), line.data(), line.size());
  }
  const auto& plan = state->plan;
  if (!plan || (!plan->name.empty() && plan->name != name)) return std::nullopt;
  if (plan->action != Action::Delay && ++state->matched != plan->nth) return std::nullopt;
  state->hit = true;
  return plan;
}

}  // namespace

Result<void> reached(const char* name) {
  const auto plan = due(name);
  if (!plan) return {};
  if (plan->action == Action::Delay) {
    std::this_thread::sleep_for(std::chrono::milliseconds(plan->delay_ms));
    return {};
  }
  if (plan->action == Action::Kill) ::kill(::getpid(), SIGKILL);
  return fail(VIR_ERR_INTERNAL_ERROR, "injected fault at " + std::string(name));
}

Result<void> arm_from_environment() {
  const char* what = std::getenv("VIREO_FAULT");
  const char* log = std::getenv("VIREO_FAULT_LOG");
  if (!what && !log) return {};
  static std::optional<Armed> for_life;
  if (what) {
    auto plan = parse(what);
    if (!plan) return pass_on(plan);
    for_life.emplace(std::move(*plan));
  } else {
    for_life.emplace();
  }
  if (!log) return {};
  const std::lock_guard hold(mutex);
  current()->log = Fd(::open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!current()->log) return fail_errno(errno, "cannot open VIREO_FAULT_LOG '" + std::string(log) + "'");
  return {};
}

}  // namespace vireo::fault
