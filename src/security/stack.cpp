// Walking the models up and down, and who takes back what was done when nobody waits for it any more.
#include "security/stack.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <ranges>

#include "base/fault.hpp"
#include "base/log.hpp"
#include "security/dac.hpp"
#include "security/guest_files.hpp"

namespace vireo::security {

using model::SecLabelType;

struct Stack::Job {
  std::shared_ptr<const Drivers> drivers;
  model::DomainDefPtr live;
  Deadline deadline;
  // Both sides exchange their word here: whoever comes second finds the first one's.
  enum Word { Working, Done, GivenUp };
  std::atomic<Word> word{Working};

  // Nothing if the guest wants nothing of this model. A guest of before there were labels has the default one.
  std::optional<model::SecLabel> label_for(const Driver& driver) const {
    const auto* label = live->seclabel(driver.about().name);
    if (!label) return model::SecLabel{.type = SecLabelType::dynamic, .model = driver.about().name};
    if (label->type == SecLabelType::none) return std::nullopt;
    return *label;
  }

  // The first `count` of the models, the last of them first.
  void take_back(std::size_t count, Deadline until) const {
    for (; count > 0; --count) {
      const auto& driver = *(*drivers)[count - 1];
      if (const auto label = label_for(driver)) driver.take_back(*live, *label, until);
    }
  }
  void take_back() const { take_back(drivers->size(), deadline); }

  Result<bool> apply() {
    if (auto fault = fault::at("security.label"); !fault) return pass_on(fault);
    for (std::size_t i = 0; i < drivers->size(); ++i) {
      const auto& driver = *(*drivers)[i];
      const auto label = label_for(driver);
      if (!label) continue;
      if (auto done = driver.apply(*live, *label, deadline); !done) {
        take_back(i, deadline);
        return pass_on(done);
      }
    }
    if (word.exchange(Done) != GivenUp) return true;
    take_back();
    return fail(VIR_ERR_OPERATION_ABORTED, "the start was given up");
  }
};

Stack::Stack(Workers& workers, Drivers drivers, std::optional<Credentials> as)
    : workers_(workers),
      drivers_(std::make_shared<const Drivers>(std::move(drivers))),
      as_(as.value_or(Credentials{.uid = ::geteuid(), .gid = ::getegid(), .groups = {}, .user = {}})) {}

const Driver* Stack::find(std::string_view model) const {
  const auto found = std::ranges::find_if(*drivers_, [&](const auto& driver) { return driver->about().name == model; });
  return found == drivers_->end() ? nullptr : found->get();
}

// As libvirt has it, the owner of files is never the first: without a model of the kernel's, that is one named "none".
std::vector<ports::SecurityModel> Stack::models() const {
  std::vector<ports::SecurityModel> all;
  for (const bool owners : {false, true}) {
    for (const auto& driver : *drivers_)
      if (auto about = driver->about(); (about.name == "dac") == owners) all.push_back(std::move(about));
    if (all.empty()) all.push_back({.name = "none"});
  }
  return all;
}

Result<ports::LabelClaim> Stack::choose(model::DomainDef& live) {
  const auto not_there = [](const std::string& model) {
    return fail_from(VIR_FROM_SECURITY, VIR_ERR_CONFIG_UNSUPPORTED,
                     fmt::format("Security driver model '{}' is not available (vireod.toml: "
                                 "security_drivers)",
                                 model.empty() ? "(null)" : model));
  };
  for (auto& label : live.seclabels) {
    if (label.model.empty()) label.model = models().front().name;
    const bool nothing = label.model == "none" && !label.is_static() && label.baselabel.empty();
    if (!nothing && !find(label.model)) return not_there(label.model);
    if (label.type == SecLabelType::unset) label.type = SecLabelType::dynamic;
    if (label.type == SecLabelType::dynamic) label.relabel = true;
  }
  for (const auto& disk : live.devices.disks)
    for (const auto& label : disk.seclabels)
      if (!find(label.model)) return not_there(label.model);

  auto claims = std::make_shared<std::vector<ports::LabelClaim>>();
  for (const auto& driver : *drivers_) {
    const auto name = driver->about().name;
    auto label = std::ranges::find(live.seclabels, name, &model::SecLabel::model);
    if (label == live.seclabels.end())
      label =
          live.seclabels.insert(label, model::SecLabel{.type = SecLabelType::dynamic, .model = name, .relabel = true});
    if (label->type == SecLabelType::none) continue;
    auto claim = driver->choose(live, *label);
    if (!claim) return pass_on(claim);
    claims->push_back(std::move(*claim));
  }
  return claims;
}

ports::LabelClaim Stack::inherit(const model::DomainDef& live) {
  auto claims = std::make_shared<std::vector<ports::LabelClaim>>();
  for (const auto& driver : *drivers_)
    if (const auto* label = live.seclabel(driver->about().name); label && label->type != SecLabelType::none)
      claims->push_back(driver->inherit(live, *label));
  return claims;
}

asio::awaitable<Result<void>> Stack::label(model::DomainDefPtr live, Deadline deadline) {
  auto job = std::make_shared<Job>(drivers_, std::move(live), deadline);
  Result<bool> done = fail(VIR_ERR_OPERATION_ABORTED, "the start was given up");
  try {
    done = co_await workers_.run<bool>([job] { return job->apply(); }, deadline);
  } catch (const boost::system::system_error&) {
    // How a cancelled coroutine ends; what it has done so far is taken back like what came too late.
  }
  if (done) co_return Result<void>{};
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  // Whoever sees last that it was given up takes back.
  if (job->word.exchange(Job::GivenUp) == Job::Done)
    co_await workers_.run<bool>(
        [job]() -> Result<bool> {
          job->take_back();
          return true;
        },
        Deadline::in(std::chrono::seconds(1)));
  co_return pass_on(done);
}

asio::awaitable<void> Stack::restore(model::DomainDefPtr live, Deadline deadline) {
  auto job = std::make_shared<Job>(drivers_, std::move(live), deadline);
  auto done = co_await workers_.run<bool>(
      [job]() -> Result<bool> {
        job->take_back();
        return true;
      },
      deadline);
  if (!done) log::warn("guest '{}': its files are not given back in time: {}", job->live->name, done.error().message());
}

namespace {

std::vector<model::FileAccess> questions_for(const std::vector<GuestFile>& files) {
  std::vector<model::FileAccess> answers;
  constexpr std::array kHow{"read", "write", "execute"};
  for (const auto& file : files)
    answers.push_back({.path = file.path, .role = file.role, .how = kHow.at(static_cast<std::size_t>(file.use))});
  return answers;
}

}  // namespace

asio::awaitable<Result<std::vector<model::FileAccess>>> Stack::explain(model::DomainDefPtr guest, bool runs,
                                                                       Deadline deadline) {
  using Answers = std::vector<model::FileAccess>;
  std::shared_ptr<const model::DomainDef> asked = std::move(guest);
  if (!runs) {  // as if it was started now
    auto copy = std::make_shared<model::DomainDef>(*asked);
    if (auto claim = choose(*copy); !claim) co_return pass_on(claim);
    asked = std::move(copy);
  }
  auto job = std::make_shared<Job>(drivers_, std::move(asked), deadline);
  auto as = as_;
  co_return co_await workers_.run<Answers>(
      [job, as, runs]() -> Result<Answers> {
        const auto files = guest_files_and_backing(*job->live);
        auto answers = questions_for(files);
        // Owners first: every file is asked for as somebody.
        const auto* owners = job->live->seclabel("dac");
        const model::SecLabel as_it_is{.type = SecLabelType::fixed, .model = "dac", .relabel = false};
        if (!owners || owners->type == SecLabelType::none) DacDriver(as, {}).explain(files, as_it_is, runs, answers);
        for (const auto& driver : *job->drivers)
          if (const auto label = job->label_for(*driver)) driver->explain(files, *label, runs, answers);
        return answers;
      },
      deadline);
}

}  // namespace vireo::security
