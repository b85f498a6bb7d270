// One probe for all who ask.
#include "qemu/capabilities_cache.hpp"

#include <algorithm>

#include "qemu/probe.hpp"

namespace vireo::qemu {

namespace {

// A probe serves many askers, so its patience is its own and not that of the first one.
constexpr auto kProbePatience = std::chrono::seconds(20);

struct Found {
  Capabilities capabilities;
  bool probed = false;
};

Result<Found> find(const std::string& cache_dir, const BinaryStamp& stamp, const ExecOptions& exec, Deadline deadline) {
  Found found;
  if (auto kept = load_capabilities(cache_dir, stamp)) {
    found.capabilities = std::move(*kept);
    return found;
  }
  auto probed = probe_binary(stamp.path, exec, deadline);
  if (!probed) return pass_on(probed);
  save_capabilities(cache_dir, stamp, *probed);
  found.capabilities = std::move(*probed);
  found.probed = true;
  return found;
}

}  // namespace

asio::awaitable<Result<CapabilitiesPtr>> CapabilitiesCache::get(std::string binary, Deadline deadline) {
  return do_get(shared_from_this(), std::move(binary), deadline);
}

asio::awaitable<Result<CapabilitiesPtr>> CapabilitiesCache::do_get(Self self, std::string binary, Deadline deadline) {
  const auto now = SteadyClock::now();
  if (const auto known = self->known_.find(binary);
      known != self->known_.end() && now - known->second.looked_at < self->look_every_)
    co_return known->second.capabilities;

  std::move_only_function<Result<BinaryStamp>()> look = [binary, exec = self->exec_] { return stamp_of(binary, exec); };
  auto stamp = co_await self->look_.run<BinaryStamp>(std::move(look), deadline);
  if (!stamp) co_return pass_on(stamp);
  if (const auto known = self->known_.find(binary); known != self->known_.end() && known->second.stamp == *stamp) {
    known->second.looked_at = now;
    co_return known->second.capabilities;
  }

  auto& flights = self->flights_;
  auto found = std::find_if(flights.begin(), flights.end(), [&](const auto& f) { return f->stamp == *stamp; });
  std::shared_ptr<Flight> flight;
  if (found != flights.end()) {
    flight = *found;
  } else {
    flight = std::make_shared<Flight>();
    flight->stamp = *stamp;
    flights.push_back(flight);
    asio::co_spawn(self->executor_, fly(self, flight), asio::detached);
  }
  auto wake = std::make_shared<Wake>(self->executor_);
  flight->waiting.push_back(wake);
  co_await wake->wait(deadline);
  std::erase(flight->waiting, wake);
  if (flight->result) co_return *flight->result;
  co_return fail(VIR_ERR_OPERATION_TIMEOUT, "QEMU binary " + binary + " did not answer in time");
}

asio::awaitable<void> CapabilitiesCache::fly(Self self, std::shared_ptr<Flight> flight) {
  const auto deadline = Deadline::in(kProbePatience);
  std::move_only_function<Result<Found>()> work = [dir = self->cache_dir_, exec = self->exec_, stamp = flight->stamp,
                                                   deadline] { return find(dir, stamp, exec, deadline); };
  auto found = co_await self->probe_.run<Found>(std::move(work), deadline);
  if (found) {
    if (found->probed) ++self->probes_;
    auto capabilities = std::make_shared<const Capabilities>(std::move(found->capabilities));
    self->known_[flight->stamp.path] =
        Known{.stamp = flight->stamp, .capabilities = capabilities, .looked_at = SteadyClock::now()};
    flight->result = std::move(capabilities);
  } else {
    flight->result = pass_on(found);
  }
  std::erase(self->flights_, flight);
  for (auto& wake : flight->waiting) wake->fire();
}

}  // namespace vireo::qemu
