// Defining and starting them one by one. See simulated.hpp.
#include "simulated.hpp"

#include <fmt/format.h>

namespace vireo::bench {

std::string flat_name(int n) { return fmt::format("flat-{:05}", n); }

std::string flat_xml(int n) {
  return fmt::format(
      "<domain type='test'><name>{0}</name><uuid>0b5e3333-feed-4bee-8000-{1:012x}</uuid>"
      "<memory unit='MiB'>1024</memory><vcpu>2</vcpu><os><type arch='x86_64' machine='pc'>hvm</type></os>"
      "<features><acpi/></features><devices>"
      "<disk type='file' device='cdrom'><target dev='hda' bus='ide'/><readonly/></disk>"
      "<interface type='user'><mac address='52:54:00:{2:02x}:{3:02x}:{4:02x}'/><model type='virtio'/></interface>"
      "<serial type='pty'/></devices></domain>",
      flat_name(n), n, n >> 16 & 255, n >> 8 & 255, n & 255);
}

Result<void> grow(virConnectPtr connection, std::vector<Guest>& guests, int count) {
  for (int n = static_cast<int>(guests.size()); n < count; ++n) {
    Guest guest(virDomainDefineXML(connection, flat_xml(n).c_str()));
    if (!guest || virDomainCreate(guest.get()) != 0) return last_error(fmt::format("cannot start {}", flat_name(n)));
    guests.push_back(std::move(guest));
  }
  return {};
}

}  // namespace vireo::bench
