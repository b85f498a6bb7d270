// One question at a time, and what its answer changes of the sample.
#include "core/stats/asker.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "core/host.hpp"

namespace vireo::core {
namespace {

// A question stays asked: who hangs answers when it goes on, and until then is asked nothing else.
constexpr auto kPatience = std::chrono::hours(24);
constexpr auto kMeasurePatience = std::chrono::seconds(10);
constexpr unsigned kMostDoublings = 4;

bool is_given(const model::DomainDef& live) {
  return live.devices.memballoon && live.devices.memballoon->model != model::BalloonModel::none;
}

// It stays as it was seen last, in the sampler's last turn.
void keep_what_takes_a_close_look(const model::HostFigures& last, model::HostFigures& next) {
  next.stuck = last.stuck;
  next.cpu_stall_us = last.cpu_stall_us;
  next.memory_stall_us = last.memory_stall_us;
  next.io_stall_us = last.io_stall_us;
  for (std::size_t i = 0; i < std::min(last.vcpus.size(), next.vcpus.size()); ++i)
    if (last.vcpus[i] && next.vcpus[i]) next.vcpus[i]->processor = last.vcpus[i]->processor;
}

template <class T>
model::Timed<T> timed(T value, SteadyClock::time_point at) {
  return {std::make_shared<const T>(std::move(value)), at};
}

}  // namespace

Asker::Asker(Host& host, const DomainPtr& domain, const std::shared_ptr<Run>& run,
             std::shared_ptr<ports::GuestMeter> meter, bool launched)
    : host_(host), domain_(domain), run_(run), pulse_(domain->pulse), id_(run->id), meter_(std::move(meter)) {
  model::GuestSample first{.id = id_};
  if (launched) first.dirty_rate = timed(model::DirtyRate{.mode = "page-sampling"}, SteadyClock::now());
  set(std::move(first));
}

bool Asker::tainted() const {
  const auto domain = domain_.lock();
  return domain && domain->view && domain->view->tainted_by_monitor;
}

ports::MonitorQuestion Asker::needed(unsigned groups) const {
  const auto run = run_.lock();
  if (over_ || !run || !run->guest) return {};
  const auto known = sample();
  const auto& live = *run->live;
  // Whoever talks to the monitor past us may have changed anything.
  const bool unsure = tainted();
  ports::MonitorQuestion question;
  if ((groups & VIR_DOMAIN_STATS_BLOCK) && !live.devices.disks.empty()) {
    question.block = true;
    question.block_facts = !known.images || unsure;
  }
  // A driver that is not told to report has nothing new to say.
  if ((groups & VIR_DOMAIN_STATS_BALLOON) && is_given(live))
    question.balloon = live.devices.memballoon->stats_period_s.value_or(0) > 0 || unsure;
  if (groups & VIR_DOMAIN_STATS_DIRTYRATE)
    question.dirty_rate =
        !known.dirty_rate || known.dirty_rate->status == model::DirtyRate::Status::measuring || unsure;
  if (groups & (VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_VM))
    question.kvm = live.type == model::VirtType::kvm;
  return question;
}

void Asker::ask(const ports::MonitorQuestion& question, const GatheringPtr& gathering) {
  if (over_) return;
  if (!next_) next_.emplace();
  next_->question |= question;
  gathering->expect();
  std::erase_if(next_->waiting, [](const auto& waiting) { return waiting.expired(); });
  next_->waiting.push_back(gathering);
  if (!std::exchange(asking_, true)) asio::co_spawn(host_.core, go_on(shared_from_this()), asio::detached);
}

void Asker::tell(const Waiting& waiting) {
  for (const auto& one : waiting)
    if (const auto gathering = one.lock()) gathering->arrived();
}

void Asker::end() {
  over_ = true;
  if (auto next = std::exchange(next_, std::nullopt)) tell(next->waiting);
  tell(std::exchange(waiting_, {}));
}

asio::awaitable<void> Asker::go_on(std::shared_ptr<Asker> self) {
  while (self->next_) {
    auto round = *std::exchange(self->next_, std::nullopt);
    self->waiting_ = std::move(round.waiting);
    co_await ask_monitor(self, round.question);
    tell(std::exchange(self->waiting_, {}));
  }
  self->asking_ = false;
}

asio::awaitable<void> Asker::ask_monitor(std::shared_ptr<Asker> self, ports::MonitorQuestion question) {
  const auto run = self->run_.lock();
  if (!run || !run->guest) co_return;
  const auto asked = SteadyClock::now();
  auto health = self->sample();
  health.monitor.waiting_since = asked;
  self->set(std::move(health));
  const auto files = question.block_facts ? self->files() : std::vector<std::string>();
  Result<ports::MonitorAnswer> answer;
  // Whatever goes wrong in there must not be the last question to this guest.
  try {
    answer = co_await run->guest->ask_figures(question, Deadline::in(kPatience));
  } catch (const std::exception& e) {
    answer = fail(VIR_ERR_INTERNAL_ERROR, e.what());
  }
  self->take(std::move(answer), asked);
  // Which images there are has only been learnt now, so nobody has looked at their sizes.
  if (question.block_facts && self->files() != files) co_await measure(self);
}

asio::awaitable<void> Asker::measure(std::shared_ptr<Asker> self) {
  struct Measured {
    model::HostFigures figures;
    SteadyClock::time_point at;
  };
  std::move_only_function<Result<Measured>()> read = [meter = self->meter_,
                                                      files = self->files()]() -> Result<Measured> {
    const auto now = SteadyClock::now();
    return Measured{.figures = meter->read(files, ports::Look::quick), .at = now};
  };
  auto measured = co_await self->host_.meter_workers.run<Measured>(std::move(read), Deadline::in(kMeasurePatience));
  if (measured) self->take(std::move(measured->figures), measured->at, ports::Look::quick);
}

void Asker::take(Result<ports::MonitorAnswer> answer, SteadyClock::time_point asked) {
  if (over_) return;
  const auto now = SteadyClock::now();
  auto next = sample();
  next.monitor.waiting_since.reset();
  const bool good = answer && answer->refusals.empty();
  if (answer) {
    next.monitor.round_trip = now - asked;
    host_.round_trips.add(now - asked);
    next.monitor.answered_at = now;
    ++next.monitor.answers;
    if (answer->block) next.block = timed(std::move(*answer->block), asked);
    if (answer->block_facts) next.images = timed(std::move(*answer->block_facts), asked);
    if (answer->balloon) next.balloon = timed(*answer->balloon, asked);
    if (answer->dirty_rate) next.dirty_rate = timed(std::move(*answer->dirty_rate), asked);
    if (answer->kvm) next.kvm = timed(std::move(*answer->kvm), asked);
  }
  if (!good) ++next.monitor.failures;
  set(std::move(next));

  if (good) {
    failures_in_a_row_ = 0;
    next_sample_ = {};
    return;
  }
  const auto domain = domain_.lock();
  if (failures_in_a_row_++ == 0 && domain)
    log::warn("guest '{}' (id {}) does not tell its figures: {}", domain->name, id_,
              answer ? answer->refusals.front() : answer.error().message());
  // A monitor that refuses has worked for it. One that is not reached costs nothing, and is to be noticed at once when
  // it is back.
  if (answer) next_sample_ = now + host_.settings.sample_period * (1U << std::min(failures_in_a_row_, kMostDoublings));
}

std::vector<std::string> Asker::files() const {
  std::vector<std::string> out;
  if (const auto known = pulse_->sample_of(id_); known && known->images) {
    for (const auto& image : *known->images) out.push_back(image.file);
  } else if (const auto run = run_.lock()) {
    for (const auto& disk : run->live->devices.disks) out.push_back(disk.file);
  }
  std::ranges::sort(out);
  const auto same = std::ranges::unique(out);
  out.erase(same.begin(), same.end());
  std::erase(out, std::string());
  return out;
}

void Asker::take(model::HostFigures figures, SteadyClock::time_point at, ports::Look look) {
  auto next = sample();
  // Two workers may have measured at once, and the counters only grow.
  if (next.host && next.host.at > at) return;
  if (next.host && look == ports::Look::quick) keep_what_takes_a_close_look(*next.host, figures);
  next.host = timed(std::move(figures), at);
  set(std::move(next));
}

void Asker::dirty_rate_begun(std::string mode) {
  auto next = sample();
  next.dirty_rate = timed(model::DirtyRate{.status = model::DirtyRate::Status::measuring, .mode = std::move(mode)},
                          SteadyClock::now());
  set(std::move(next));
}

model::GuestSample Asker::sample() const {
  const auto last = pulse_->sample_of(id_);
  return last ? *last : model::GuestSample{.id = id_};
}

void Asker::set(model::GuestSample next) {
  if (over_) return;
  // A later life of the guest may have begun; this one's figures are then of no interest.
  if (const auto last = pulse_->sample.get(); last && last->id > id_) return;
  pulse_->sample.set(std::make_shared<const model::GuestSample>(std::move(next)));
}

void begin_asking(Host& host, const DomainPtr& domain, const std::shared_ptr<Run>& run, pid_t pid, bool launched) {
  run->asker = std::make_shared<Asker>(host, domain, run, host.meters.open(pid, run->live), launched);
}

}  // namespace vireo::core
