// Which files a definition names, and the work on workers.
#include "security/dac.hpp"

#include <atomic>

#include "base/log.hpp"
#include "security/owned_file.hpp"

namespace vireo::security {

namespace {

struct Need {
  std::string path;
  bool write = false;
  bool must_exist = true;
};

std::vector<Need> needs_of(const model::DomainDef& live) {
  std::vector<Need> needs;
  for (const auto& disk : live.devices.disks)
    if (!disk.file.empty())
      needs.push_back({.path = disk.file, .write = !disk.readonly && disk.kind != model::DiskKind::cdrom});
  // QEMU says better than we what is wrong with a kernel that is not there.
  for (const auto& file : {live.os.kernel, live.os.initrd})
    if (!file.empty()) needs.push_back({.path = file, .must_exist = false});
  return needs;
}

struct Job {
  Credentials user;
  std::string boot_id;
  model::DomainDefPtr live;
  // Both sides exchange their word here: whoever comes second finds the first one's.
  enum Word { Working, Done, GivenUp };
  std::atomic<Word> word{Working};

  Tenant tenant() const {
    return {.user = user, .boot_id = boot_id, .life = fmt::format("{}/{}", live->uuid.text(), live->id.value_or(0))};
  }
};

void give_all_back(const Job& job) {
  for (const auto& need : needs_of(*job.live)) {
    auto done = give_back(need.path, job.tenant());
    if (!done) done = give_back(need.path, job.tenant());
    if (!done) log::warn("guest '{}': {}", job.live->name, done.error().message());
  }
}

// On a worker.
Result<bool> give_all(Job& job) {
  for (const auto& need : needs_of(*job.live)) {
    auto done = give(need.path, need.write, job.tenant());
    const bool missing = !need.must_exist && ::access(need.path.c_str(), F_OK) != 0;
    if (done || missing) continue;
    give_all_back(job);
    return pass_on(done);
  }
  if (job.word.exchange(Job::Done) != Job::GivenUp) return true;
  give_all_back(job);
  return fail(VIR_ERR_OPERATION_ABORTED, "the start was given up");
}

}  // namespace

asio::awaitable<Result<void>> DacLabeler::label(model::DomainDefPtr live, Deadline deadline) {
  auto job = std::make_shared<Job>(user_, boot_id_, std::move(live));
  auto done = co_await workers_.run<bool>([job] { return give_all(*job); }, deadline);
  if (done) co_return Result<void>{};
  // Too late: whoever sees last that it was given up gives back.
  if (job->word.exchange(Job::GivenUp) == Job::Done)
    co_await workers_.run<bool>(
        [job]() -> Result<bool> {
          give_all_back(*job);
          return true;
        },
        Deadline::in(std::chrono::seconds(1)));
  co_return pass_on(done);
}

asio::awaitable<void> DacLabeler::restore(model::DomainDefPtr live, Deadline deadline) {
  auto job = std::make_shared<Job>(user_, boot_id_, std::move(live));
  auto done = co_await workers_.run<bool>(
      [job]() -> Result<bool> {
        give_all_back(*job);
        return true;
      },
      deadline);
  if (!done) log::warn("guest '{}': its files are not given back in time: {}", job->live->name, done.error().message());
}

}  // namespace vireo::security
