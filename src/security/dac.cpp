// Which user gets which file.
#include "security/dac.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "base/log.hpp"
#include "security/access.hpp"
#include "security/guest_files.hpp"
#include "security/owned_file.hpp"

namespace vireo::security {

namespace {

// What is to be done with one file of a guest.
struct Plan {
  bool gives = false;
  Credentials user;  // whose it becomes, or who must be able to open it
};

Result<Plan> plan_for(const GuestFile& file, const model::SecLabel& label, const Credentials& guest_user) {
  Plan plan{.gives = file.labelled && label.relabels(), .user = guest_user};
  const auto* own = file.label("dac");
  if (!own) return plan;
  plan.gives = file.labelled && own->relabel.value_or(true);
  if (!plan.gives || own->label.empty()) return plan;
  auto user = credentials_of_label(own->label);
  if (!user) return pass_on(user);
  plan.user = std::move(*user);
  return plan;
}

std::string life_of(const model::DomainDef& live) {
  return fmt::format("{}/{}", live.uuid.text(), live.id.value_or(0));
}

int wanted_of(const GuestFile& file) {
  switch (file.use) {
    case GuestFile::Use::Read:
      return R_OK;
    case GuestFile::Use::Write:
      return R_OK | W_OK;
    case GuestFile::Use::Execute:
      return X_OK;
  }
  return R_OK;
}

}  // namespace

ports::SecurityModel DacDriver::about() const { return {.name = "dac", .baselabel = default_label()}; }

std::string DacDriver::default_label() const { return fmt::format("+{}:+{}", user_.uid, user_.gid); }

Result<Credentials> DacDriver::user_of(const model::SecLabel& label) const {
  if (label.label.empty() || label.label == default_label()) return user_;
  return credentials_of_label(label.label);
}

Result<ports::LabelClaim> DacDriver::choose(const model::DomainDef& live, model::SecLabel& label) {
  if (!label.baselabel.empty())
    return fail(
        VIR_ERR_CONFIG_UNSUPPORTED,
        fmt::format("the <baselabel> '{}' of domain '{}' means nothing to the security model dac; remove it, or "
                    "say type='static' and <label>",
                    label.baselabel, live.name));
  if (!label.is_static()) label.label = default_label();
  label.imagelabel = label.relabels() ? label.label : "";
  return ports::LabelClaim{};
}

Result<void> DacDriver::apply(const model::DomainDef& live, const model::SecLabel& label, Deadline deadline) const {
  auto user = user_of(label);
  if (!user) return pass_on(user);
  for (const auto& file : guest_files(live)) {
    auto plan = plan_for(file, label, *user);
    Result<void> done;
    if (!plan)
      done = pass_on(plan);
    else if (plan->gives)
      done = give(file.path, file.use == GuestFile::Use::Write,
                  {.user = plan->user, .boot_id = boot_id_, .life = life_of(live), .deadline = deadline});
    // One that is left alone, or given to somebody else than the guest's user: QEMU has to reach it all the same.
    if (done && plan && file.labelled && !(plan->gives && plan->user == *user))
      done = check_access(file.path, file.use == GuestFile::Use::Write, *user);
    const bool missing = !file.must_exist && ::access(file.path.c_str(), F_OK) != 0;
    if (done || missing) continue;
    take_back(live, label, deadline);
    return done;
  }
  return {};
}

void DacDriver::take_back(const model::DomainDef& live, const model::SecLabel& label, Deadline deadline) const {
  const auto user = user_of(label).value_or(user_);  // one that is no longer known has left its number in the files
  for (const auto& file : guest_files(live)) {
    if (!file.labelled) continue;
    const Tenant tenant{.user = user, .boot_id = boot_id_, .life = life_of(live), .deadline = deadline};
    auto done = give_back(file.path, tenant);
    if (!done) done = give_back(file.path, tenant);
    if (!done) log::warn("guest '{}': {}", live.name, done.error().message());
  }
}

void DacDriver::explain(const std::vector<GuestFile>& files, const model::SecLabel& label, bool runs,
                        std::vector<model::FileAccess>& answers) const {
  const auto user = user_of(label);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& file = files[i];
    auto& answer = answers[i];
    if (!user) {
      answer = {.path = file.path, .role = file.role, .how = answer.how, .allowed = false, .rule = "error"};
      answer.why = user.error().message();
      continue;
    }
    const auto plan = plan_for(file, label, *user);
    // What a running guest has been given is its already; and a file that others may read is left as it is.
    struct stat info{};
    const bool can_change = ::stat(file.path.c_str(), &info) == 0 && (S_ISREG(info.st_mode) || S_ISBLK(info.st_mode));
    answer.as = describe(*user);
    answer.lent = plan && plan->gives && !runs && can_change && plan->user.uid == user->uid;
    const auto denial = find_denial(
        *user, {.path = file.path, .wanted = wanted_of(file), .lent = answer.lent, .may_create = file.may_create});
    if (!denial) continue;
    answer.allowed = false;
    answer.component = denial->component;
    answer.rule = denial->rule;
    answer.why = denial->why;
  }
}

}  // namespace vireo::security
