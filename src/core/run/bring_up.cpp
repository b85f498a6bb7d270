// The launch of a guest. The tables of steps below are the order of everything; each step registers its undo beside
// what it does, and each is timed. The order keeps every promise about crashes: the intent is durable before anything
// outside is changed for good, the process is recorded before its vCPUs run, and the guest is published only when it
// does run. What each step does is in launch_steps.cpp.
#include <span>

#include "base/log.hpp"
#include "core/run/launch.hpp"

namespace vireo::core {
namespace {

struct Step {
  const char* name;
  Done (*take)(Launch&);
};

// The lane was entered before, and is timed by whoever did it.
constexpr Step steps_to_claim[] = {{"claim", launch_steps::claim}};
constexpr Step steps_to_prepare[] = {
    {"persist", launch_steps::record_intent}, {"files", launch_steps::make_files}, {"label", launch_steps::label}};
constexpr Step steps_in_line[] = {{"admission", launch_steps::admit}};
constexpr Step steps_to_launch[] = {
    {"capabilities", launch_steps::start_process},
    {"persist", launch_steps::record_process},
    {"continue", launch_steps::let_run},
    {"publish", launch_steps::publish},
};

Done take_steps(Launch& l, std::span<const Step> to_take) {
  for (const auto& step : to_take) {
    if (l.launching->given_up) co_return given_up(l);
    l.recorder->begin(step.name);
    auto done = co_await step.take(l);
    if (!done && l.launching->given_up) co_return given_up(l);
    if (!done) co_return done;
  }
  co_return Result<void>{};
}

Done take_unless_given_up(Launch& l, std::span<const Step> to_take) {
  l.launching->cancellable = true;
  if (l.launching->caller_gone) co_return Result<void>{};
  co_return co_await take_steps(l, to_take);
}

// Steps that change nothing but claims: whoever gives the launch up ends them at once, and so does its caller, if gone.
Done take_interruptibly(Launch& l, std::span<const Step> to_take) {
  Result<void> done;
  try {
    done = co_await asio::co_spawn(l.host.core, take_unless_given_up(l, to_take),
                                   asio::bind_cancellation_slot(l.launching->cancel.slot(), asio::use_awaitable));
  } catch (const boost::system::system_error&) {
    done = given_up(l);  // how a cancelled coroutine ends
  }
  l.launching->cancellable = false;
  co_return done;
}

// Steps that have to be taken back: no cancellation of the caller reaches into them.
Done take_undisturbed(Launch& l, std::span<const Step> to_take) {
  co_return co_await asio::co_spawn(l.host.core, take_steps(l, to_take),
                                    asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable));
}

// Whether the caller has gone; if not, the launch is interrupted when it goes. Asio forgets that with every operation
// that ends, so it is said anew before each.
bool caller_gone(Launch& l, const asio::cancellation_state& caller) {
  l.launching->caller_gone = caller.cancelled() != asio::cancellation_type::none;
  if (auto slot = caller.slot(); slot.is_connected())
    slot.assign([launching = l.launching](asio::cancellation_type) {
      launching->caller_gone = true;
      launching->interrupt();
    });
  return l.launching->caller_gone;
}

// Labels come before the line: a file system that takes its time takes nobody's place. Until the launch is admitted,
// a caller that goes away ends it; from then on it is brought to its end, since half of a launch helps nobody.
Done take_all(Launch& l) {
  const auto caller = co_await asio::this_coro::cancellation_state;
  Result<void> done;
  if (!caller_gone(l, caller)) done = co_await take_interruptibly(l, steps_to_claim);
  if (done && !caller_gone(l, caller)) done = co_await take_undisturbed(l, steps_to_prepare);
  if (done && !caller_gone(l, caller)) done = co_await take_interruptibly(l, steps_in_line);
  if (!l.launching->admitted && caller_gone(l, caller))
    done = fail(VIR_ERR_OPERATION_ABORTED, "the caller that started domain '" + l.domain->name + "' has gone");
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  if (done) done = co_await take_steps(l, steps_to_launch);
  co_return done;
}

// A guest that did not start tells why to those who ask later.
void publish_failure(Launch& l, const std::string& why) {
  const auto& steps_taken = l.recorder->so_far().steps;  // the last of them is the undoing
  l.host.boots.failed(l.run->boot, steps_taken.size() > 1 ? steps_taken[steps_taken.size() - 2].name : "lane");
  auto trace = l.recorder->finish(why);
  if (!l.domain->view) return;
  model::DomainView view = *l.domain->view;
  view.last_launch = std::move(trace);
  // One that nobody waited for any more has not failed.
  if (!abandoned(l)) {
    view.state = VIR_DOMAIN_SHUTOFF;
    view.reason = VIR_DOMAIN_SHUTOFF_FAILED;
  }
  l.host.registry.publish(*l.domain, std::move(view));
}

// QEMU says which file it cannot open; what is in its way, the labeler knows.
asio::awaitable<void> add_what_is_in_the_way(Launch& l, Error& error) {
  if (!error.detail.contains("Permission denied")) co_return;  // what is not there, the error says itself
  constexpr auto kPatience = std::chrono::seconds(1);
  auto files = co_await l.host.labeler.explain(l.live, true, Deadline::in(kPatience));
  if (!files) co_return;
  for (const auto& file : *files)
    if (!file.allowed && error.detail.contains(file.path) && !error.detail.contains(file.why)) {
      error.detail += "; " + file.why;
      co_return;
    }
}

// Marks the launch as being under way, for as long as it is.
class UnderWay {
 public:
  UnderWay(DomainPtr domain, std::shared_ptr<Launching> launching) : domain_(std::move(domain)) {
    domain_->launching = launching ? std::move(launching) : std::make_shared<Launching>();
  }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;
  ~UnderWay() { domain_->launching = nullptr; }

 private:
  DomainPtr domain_;
};

}  // namespace

asio::awaitable<Result<void>> bring_up(Host& host, DomainPtr domain, model::DomainDefPtr definition,
                                       StartOptions options, ports::LaunchRecorderPtr recorder) {
  const UnderWay under_way(domain, options.launching);
  Launch launch{.host = host,
                .domain = domain,
                .options = options,
                .launching = domain->launching,
                .recorder = std::move(recorder),
                .deadline = Deadline::in(host.settings.launch_timeout),
                .live = std::make_shared<model::DomainDef>(*definition)};
  launch.run->boot = host.boots.begin(
      {.uuid = domain->uuid, .name = domain->name, .paused = options.paused, .began = launch.recorder->so_far().began},
      launch.recorder->began());
  auto done = co_await take_all(launch);
  if (done) {
    launch.undo.keep();
    log::info("guest '{}' runs with id {}", domain->name, launch.run->id);
    co_return done;
  }
  launch.recorder->begin("undo");
  const bool asked_to_end = launch.launching->given_up || abandoned(launch);
  // While the files are still the guest's.
  if (!asked_to_end) co_await add_what_is_in_the_way(launch, done.error());
  co_await launch.undo.unwind();
  if (launch.remains) done.error().detail += "; what was started of it cannot be ended: " + launch.remains->detail;
  log::warn("guest '{}' did not start: {}", domain->name, done.error().message());
  publish_failure(launch, done.error().message());
  co_return done;
}

}  // namespace vireo::core
