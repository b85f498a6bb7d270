// Defining, starting and ending many guests. See crowd.hpp.
#include "crowd.hpp"

#include <fmt/format.h>

#include <barrier>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <thread>

namespace vireo::bench {

namespace {
constexpr int most_attempts = 3;
}

std::string crowd_name(int n) { return fmt::format("{}{}", crowd_prefix, n); }

std::string crowd_xml(const CrowdPlan& plan, int n) {
  std::string boot;
  std::string serial = "<serial type='pty'/>";
  if (!plan.paused()) {
    std::string cmdline;
    std::getline(std::ifstream(plan.kernel_folder + "/cmdline"), cmdline);
    boot = fmt::format("<kernel>{0}/vmlinuz</kernel><initrd>{0}/initrd</initrd><cmdline>{1}</cmdline>",
                       plan.kernel_folder, cmdline);
    serial = fmt::format("<serial type='file'><source path='{}'/></serial>", plan.console(n));
  }
  std::string devices = "<memballoon model='none'/>";
  if (!plan.image_folder.empty())
    devices = fmt::format(
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{}'/>"
        "<target dev='vda' bus='virtio'/></disk><memballoon model='virtio'/>",
        plan.image(n));
  return fmt::format(
      "<domain type='qemu'><name>{}</name><uuid>0b5e2222-feed-4bee-8000-{:012x}</uuid>"
      "<memory unit='MiB'>{}</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='pc'>hvm</type>{}</os>"
      "<features><acpi/></features><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
      "{}{}</devices></domain>",
      crowd_name(n), n, plan.memory_mib, boot, serial, devices);
}

ServerCrowd::~ServerCrowd() { forget_all(); }

void ServerCrowd::forget_all() {
  handles_.clear();
  connections_.clear();
  const Connection connection(virConnectOpen(uri_.c_str()));
  virDomainPtr* all = nullptr;
  const int count = connection ? virConnectListAllDomains(connection.get(), &all, 0) : 0;
  for (int i = 0; i < count; ++i) {
    const Guest guest(all[i]);
    if (!std::string_view(virDomainGetName(guest.get())).starts_with(crowd_prefix)) continue;
    if (virDomainIsActive(guest.get()) == 1) virDomainDestroy(guest.get());
    virDomainUndefine(guest.get());
  }
  std::free(all);
}

Result<void> ServerCrowd::define_all() {
  forget_all();  // also those of a run that was cut short
  const Connection connection(virConnectOpen(uri_.c_str()));
  if (!connection) return last_error(fmt::format("cannot connect to {}", uri_));
  for (int n = 0; n < plan().guests; ++n) {
    const Guest guest(virDomainDefineXML(connection.get(), crowd_xml(plan(), n).c_str()));
    if (!guest) return last_error(fmt::format("cannot define {}", crowd_name(n)));
  }
  return {};
}

Result<void> ServerCrowd::prepare(int clients) {
  if (!std::exchange(defined_, true))
    if (auto done = define_all(); !done) return done;
  handles_.clear();
  connections_.clear();
  for (int c = 0; c < clients; ++c) {
    connections_.emplace_back(virConnectOpen(uri_.c_str()));
    if (!connections_.back()) return last_error(fmt::format("client {} cannot connect to {}", c, uri_));
  }
  for (int n = 0; n < plan().guests; ++n) {
    const auto client = static_cast<std::size_t>(n % clients);
    handles_.emplace_back(virDomainLookupByName(connections_[client].get(), crowd_name(n).c_str()));
    if (!handles_.back()) return last_error(fmt::format("cannot find {}", crowd_name(n)));
  }
  return {};
}

Result<void> ServerCrowd::start(int, int guest) {
  const unsigned flags = plan().paused() ? VIR_DOMAIN_START_PAUSED : 0;
  for (int attempt = 0; virDomainCreateWithFlags(handles_[static_cast<std::size_t>(guest)].get(), flags) != 0;
       ++attempt) {
    auto error = last_error(fmt::format("cannot start {}", crowd_name(guest)));
    // On a busy host libvirtd fails now and then to make a control group's device filter, and says to try again.
    if (attempt == most_attempts || !error.error().detail.contains("cgroup BPF")) return error;
  }
  return {};
}

Result<void> ServerCrowd::stop_all() {
  for (const auto& guest : handles_)
    if (virDomainIsActive(guest.get()) == 1 && virDomainDestroy(guest.get()) != 0 &&
        virDomainIsActive(guest.get()) != 0)
      return last_error("cannot end a guest");
  return {};
}

Result<Storm> start_crowd(Crowd& crowd, int clients) {
  struct Client {
    Series each;
    std::optional<Error> failed;
  };
  std::vector<Client> done(static_cast<std::size_t>(clients));
  std::barrier together(clients + 1);
  std::vector<std::jthread> threads;
  threads.reserve(static_cast<std::size_t>(clients));
  for (int c = 0; c < clients; ++c) {
    threads.emplace_back([&crowd, &together, clients, c, &mine = done[static_cast<std::size_t>(c)]] {
      together.arrive_and_wait();
      for (int n = c; n < crowd.plan().guests && !mine.failed; n += clients) {
        const auto begun = Clock::now();
        auto started = crowd.start(c, n);
        mine.each.add(Clock::now() - begun);
        if (!started) mine.failed = started.error();
      }
    });
  }
  const auto begun = Clock::now();
  together.arrive_and_wait();
  threads.clear();  // joins them
  Storm storm{.total = Clock::now() - begun, .each = {}};
  for (auto& client : done) {
    if (client.failed) return std::unexpected(*client.failed);
    storm.each.add_all(client.each);
  }
  return storm;
}

}  // namespace vireo::bench
