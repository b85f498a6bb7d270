// How a life begins and ends.
#include "tests/histories/life.hpp"

namespace vireo::tests {
namespace {

bool strikes(Dice& dice, int one_in) { return one_in > 0 && dice.one_in(one_in); }

asio::awaitable<void> rest(SteadyClock::duration span) {
  Wake never(co_await asio::this_coro::executor);
  co_await never.wait(Deadline::in(span));
}

Workers::Inline pretend(Dice& dice, int fails_one_in) {
  return {.delay = [&dice] { return dice.span(300); },
          .instead = [&dice, fails_one_in]() -> Result<void> {
            if (strikes(dice, fails_one_in)) return fail(VIR_ERR_SYSTEM_ERROR, "the simulated folder cannot be made");
            return {};
          }};
}

std::function<sim::Fate(sim::Step)> fates(Dice& dice, const Trouble& trouble) {
  return [&dice, &trouble](sim::Step step) -> sim::Fate {
    switch (step) {
      case sim::Step::Spawn:
        return {.delay = dice.span(4000), .fails = strikes(dice, trouble.spawn)};
      case sim::Step::Handshake:
        return {.delay = dice.span(8000), .fails = strikes(dice, trouble.handshake)};
      case sim::Step::Command:
        return {.delay = dice.span(500), .fails = strikes(dice, trouble.command)};
      case sim::Step::End:
        return {.delay = dice.span(3000)};
      case sim::Step::Adopt:
        return {.delay = dice.span(3000), .fails = strikes(dice, trouble.adopt)};
      case sim::Step::Sweep:
        return {.delay = dice.span(3000)};
    }
    return {};
  };
}

asio::awaitable<void> begin(core::Host& host, ports::StoredState stored) {
  co_await core::recover(host, std::move(stored), Deadline::in(std::chrono::seconds(10)));
}

}  // namespace

Result<ports::LabelClaim> SlowLabeler::choose(model::DomainDef& live) {
  if (strikes(dice_, fails_one_in_)) return fail(VIR_ERR_CONFIG_UNSUPPORTED, "the simulated label is not known");
  auto claim = around_.categories.claim();
  if (!claim) return pass_on(claim);
  live.seclabels = {
      {.type = model::SecLabelType::dynamic, .model = "simulated", .relabel = true, .label = claim->pair().text()}};
  return std::make_shared<security::McsTable::Claim>(std::move(*claim));
}

ports::LabelClaim SlowLabeler::inherit(const model::DomainDef& live) {
  const auto pair = security::categories_in(live.seclabels.front().label);
  return std::make_shared<security::McsTable::Claim>(around_.categories.inherit(pair.value()));
}

asio::awaitable<Result<void>> SlowLabeler::label(model::DomainDefPtr live, Deadline) {
  co_await rest(dice_.one_in(4) ? dice_.span(10'000) : dice_.span(1000));
  if (strikes(dice_, fails_one_in_)) co_return fail(VIR_ERR_SYSTEM_ERROR, "the simulated file cannot be labelled");
  around_.labelled.insert(*live->id);
  co_return Result<void>{};
}

asio::awaitable<void> SlowLabeler::restore(model::DomainDefPtr live, Deadline) {
  co_await rest(dice_.span(1000));
  around_.labelled.erase(*live->id);
}

Life::Life(VirtualTime& time, Surroundings& surroundings, Dice& dice, const Trouble& trouble)
    : time_(time),
      work_(asio::make_work_guard(context_)),
      store_(surroundings.rows, dice, {.fails_one_in = trouble.commit, .lies_one_in = trouble.commit_lost}),
      labeler_(surroundings, dice, trouble.label),
      files_("files", pretend(dice, trouble.folder)),
      images_("images", Workers::Inline{.delay = [&dice] { return dice.span(300); }, .instead = {}}),
      hypervisor_(context_.get_executor(), script_, surroundings.world),
      host(context_.get_executor(), hypervisor_, store_, facts_, labeler_, files_, images_,
           {.meters = meters_, .workers = images_},
           {.runtime_dir = "/no/such/folder", .log_dir = "/log", .parallel_starts = 2}) {
  script_->fate = fates(dice, trouble);
  auto stored = store_.load(facts_.boot_id());
  autostarted_ = !stored->first_since_boot;
  asio::co_spawn(context_, begin(host, std::move(*stored)), [this](const std::exception_ptr&) {
    ready_ = true;
    if (!autostarted_)
      asio::co_spawn(context_, core::autostart(host), [this](const std::exception_ptr&) { autostarted_ = true; });
  });
}

Life::~Life() {
  store_.crash();
  time_.drop_all();
  context_.destroy_suspended();
  host.let_go();
}

}  // namespace vireo::tests
