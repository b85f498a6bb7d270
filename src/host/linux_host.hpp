// The HostFacts port on Linux: read once, when the daemon starts, and constant from then on. Blocks while it reads (a
// resolver may be slow); what it tells afterwards may be asked from any thread.
#pragma once

#include <string>

#include "host/topology.hpp"
#include "ports/host_facts.hpp"

namespace vireo::host {

struct LinuxHostOptions {
  std::string root;  // another folder than / to find proc and sys in; for tests
  std::string cpu_map_folder = "/usr/share/libvirt/cpu_map";
};

class LinuxHost : public ports::HostFacts {
 public:
  explicit LinuxHost(LinuxHostOptions options = {});

  const std::string& hostname() const override { return hostname_; }
  const std::string& boot_id() const override { return boot_id_; }
  ports::NodeInfo node() const override;
  const std::string& capabilities_host_xml() const override { return host_xml_; }
  std::uint64_t process_cpu_time_ns(pid_t pid) const override;
  ports::HostLoad load() const override;
  ports::OwnProcess own_process() const override;
  std::optional<ports::CpuTimes> cpu_times(std::optional<unsigned> cpu) const override;
  std::optional<ports::MemoryNow> memory(std::optional<unsigned> cell) const override;
  std::vector<bool> processors() const override;
  unsigned last_cell() const override { return topology_.cells.back().id; }
  std::vector<ports::Neighbour> neighbours() const override;
  Result<model::ImageSizes> image_sizes(const std::string& file, model::ImageFormat format) const override;

 private:
  Tree tree_;
  std::string hostname_, boot_id_, host_xml_;
  Topology topology_;
  ports::NodeInfo node_;
};

}  // namespace vireo::host
