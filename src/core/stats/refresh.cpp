// Who is asked what.
#include "core/stats/refresh.hpp"

#include "core/stats/asker.hpp"

namespace vireo::core {
namespace {

constexpr unsigned kFromKernel = VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU |
                                 VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK;
// Guests that one worker measures before it looks for other work: about two milliseconds.
constexpr std::size_t kPerJob = 32;

struct Measured {
  std::shared_ptr<Asker> asker;
  std::shared_ptr<ports::GuestMeter> meter;
  std::vector<std::string> files;
};

struct Figures {
  std::vector<model::HostFigures> of_each;
  SteadyClock::time_point at;
};

asio::awaitable<void> measure(Host& host, std::vector<Measured> guests, ports::Look look, GatheringPtr gathering,
                              Deadline deadline) {
  // The worker has what it needs and nothing of the core's.
  std::vector<std::pair<std::shared_ptr<ports::GuestMeter>, std::vector<std::string>>> work;
  work.reserve(guests.size());
  for (auto& guest : guests) work.emplace_back(guest.meter, std::move(guest.files));
  std::move_only_function<Result<Figures>()> read = [work = std::move(work), look]() -> Result<Figures> {
    Figures out{.at = SteadyClock::now()};
    out.of_each.reserve(work.size());
    for (const auto& [meter, files] : work) out.of_each.push_back(meter->read(files, look));
    return out;
  };
  auto figures = co_await host.meter_workers.run<Figures>(std::move(read), deadline);
  if (figures)
    for (std::size_t i = 0; i < guests.size(); ++i)
      guests[i].asker->take(std::move(figures->of_each[i]), figures->at, look);
  gathering->arrived();
}

using Looked = std::shared_ptr<std::vector<SizesOfDisks>>;

asio::awaitable<void> look_at(Host& host, model::DomainViewPtr guest, std::size_t at, Looked looked,
                              GatheringPtr gathering, Deadline deadline) {
  SizesOfDisks sizes;
  for (const auto& disk : guest->current().devices.disks) {
    auto& of_disk = sizes.emplace_back();
    if (disk.file.empty()) continue;
    if (auto read = co_await host.sizes_at_rest.of(disk.file, disk.driver.format, deadline)) of_disk = *read;
  }
  (*looked)[at] = std::move(sizes);
  gathering->arrived();
}

// One that waits for a later deadline than its caller's, since what comes late is of use to the next.
Deadline patience_of(Deadline deadline) { return Deadline::at(deadline.time() + std::chrono::seconds(10)); }

// Hands guests to the workers, as many at a time as one shall measure.
class Batches {
 public:
  Batches(Host& host, ports::Look look, GatheringPtr gathering, Deadline deadline)
      : host_(host), look_(look), gathering_(std::move(gathering)), deadline_(deadline) {}

  void add(const std::shared_ptr<Asker>& asker) {
    batch_.push_back({asker, asker->meter(), asker->files()});
    if (batch_.size() == kPerJob) hand_over();
  }
  void hand_over() {
    if (batch_.empty()) return;
    gathering_->expect();
    asio::co_spawn(host_.core, measure(host_, std::exchange(batch_, {}), look_, gathering_, deadline_), asio::detached);
  }

 private:
  Host& host_;
  const ports::Look look_;
  const GatheringPtr gathering_;
  const Deadline deadline_;
  std::vector<Measured> batch_;
};

// Null: it does not run, or not in this life any more, or is not measured yet.
std::shared_ptr<Asker> asker_of(const Host& host, const model::DomainView& view) {
  const auto domain = host.registry.find(view.uuid);
  return domain && domain->run && domain->run->id == view.id ? domain->run->asker : nullptr;
}

}  // namespace

bool needs_no_sample(unsigned groups) {
  return (groups & (kFromKernel | VIR_DOMAIN_STATS_DIRTYRATE | VIR_DOMAIN_STATS_VM)) == 0;
}

asio::awaitable<std::vector<SizesOfDisks>> refresh(Host& host, std::vector<model::DomainViewPtr> guests,
                                                   unsigned groups, Deadline deadline, bool spare_the_late) {
  const auto looked = std::make_shared<std::vector<SizesOfDisks>>(guests.size());
  auto gathering = std::make_shared<Gathering>(host.core);
  gathering->expect();  // until all have been asked
  // Who asks about one guest wants to know all; and the sampler takes its time.
  const auto look = spare_the_late || guests.size() == 1 ? ports::Look::close : ports::Look::quick;
  Batches batches(host, look, gathering, patience_of(deadline));
  for (std::size_t at = 0; at < guests.size(); ++at) {
    const auto& view = guests[at];
    if (!view->active()) {
      if (!(groups & VIR_DOMAIN_STATS_BLOCK) || view->current().devices.disks.empty()) continue;
      gathering->expect();
      asio::co_spawn(host.core, look_at(host, view, at, looked, gathering, deadline), asio::detached);
      continue;
    }
    const auto asker = asker_of(host, *view);
    if (!asker) continue;
    if (const auto question = asker->needed(groups); question.any() && !(spare_the_late && asker->is_late()))
      asker->ask(question, gathering);
    if (groups & kFromKernel) batches.add(asker);
  }
  batches.hand_over();
  gathering->arrived();
  if (gathering->missing > 0) co_await gathering->done.wait(deadline);
  // A copy: who is late still has his place in the other.
  co_return *looked;
}

asio::awaitable<void> refresh_from_kernel(Host& host, std::vector<model::DomainViewPtr> guests,
                                          SteadyClock::duration oldest, Deadline deadline) {
  auto gathering = std::make_shared<Gathering>(host.core);
  gathering->expect();
  Batches batches(host, ports::Look::close, gathering, patience_of(deadline));
  const auto now = SteadyClock::now();
  for (const auto& view : guests) {
    const auto asker = asker_of(host, *view);
    if (!asker) continue;
    const auto sample = view->pulse->sample_of(view->id);
    if (!sample || !sample->host || now - sample->host.at > oldest) batches.add(asker);
  }
  batches.hand_over();
  gathering->arrived();
  if (gathering->missing > 0) co_await gathering->done.wait(deadline);
}

}  // namespace vireo::core
