// Setting a server up for measurement and leaving it as it was. See server.hpp.
#include "server.hpp"

#include <fmt/format.h>
#include <libvirt/virterror.h>

#include <cstdlib>
#include <string_view>

namespace vireo::bench {

std::unexpected<Error> last_error(const std::string& what) {
  const auto* error = virGetLastError();
  return fail(error ? error->code : VIR_ERR_INTERNAL_ERROR,
              fmt::format("{}: {}", what, error && error->message ? error->message : "unknown error"));
}

std::string guest_name(int n) { return fmt::format("{}{}", guest_prefix, n); }

std::string guest_xml(int n) {
  return fmt::format(
      "<domain type='qemu'><name>{}</name><uuid>0b5e1111-feed-4bee-8000-0000000000{:02x}</uuid>"
      "<memory unit='KiB'>65536</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='pc'>hvm</type></os>"
      "<features><acpi/></features><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
      "<serial type='pty'/><memballoon model='none'/></devices></domain>",
      guest_name(n), n);
}

Result<void> Server::connect() {
  connection.reset(virConnectOpen(uri.c_str()));
  if (!connection) return last_error(fmt::format("cannot connect to {} ({})", name, uri));
  return {};
}

Result<void> Server::prepare() {
  if (!replays) {
    clean_up();
    for (int n = 0; n < guests_defined; ++n) {
      const Guest guest(virDomainDefineXML(connection.get(), guest_xml(n).c_str()));
      if (!guest) return last_error(fmt::format("{}: cannot define {}", name, guest_name(n)));
      if (n < guests_running && virDomainCreateWithFlags(guest.get(), VIR_DOMAIN_START_PAUSED) != 0)
        return last_error(fmt::format("{}: cannot start {}", name, guest_name(n)));
    }
  }
  running.reset(virDomainLookupByName(connection.get(), guest_name(0).c_str()));
  stopped.reset(virDomainLookupByName(connection.get(), guest_name(guests_defined - 1).c_str()));
  if (!running || !stopped) return last_error(fmt::format("{}: cannot find the guests", name));
  return {};
}

void Server::clean_up() {
  if (!connection || replays) return;
  virDomainPtr* all = nullptr;
  const int count = virConnectListAllDomains(connection.get(), &all, 0);
  for (int i = 0; i < count; ++i) {
    const Guest guest(all[i]);
    if (!std::string_view(virDomainGetName(guest.get())).starts_with(guest_prefix)) continue;
    if (virDomainIsActive(guest.get()) == 1) virDomainDestroy(guest.get());
    virDomainUndefine(guest.get());
  }
  std::free(all);
}

}  // namespace vireo::bench
