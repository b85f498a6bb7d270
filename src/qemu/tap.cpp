// The few calls that this takes; all of them are ioctls of the kernel's first networking interface.
#include "qemu/tap.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/fault.hpp"

namespace vireo::qemu {
namespace {

constexpr const char* kPattern = "vnet%d";  // the kernel puts in the first number that is free

Result<ifreq> request_for(const std::string& name) {
  if (name.size() >= IFNAMSIZ)
    return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                fmt::format("the name of the network device '{}' is longer than {} bytes", name, IFNAMSIZ - 1));
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  return request;
}

// What the kernel means by it, and the remedy.
const char* why_none(int error) {
  if (error == EBUSY)
    return "; another guest or program has it: end that one, or choose another <target dev='...'/> or none";
  if (error == EINVAL) return "; that device is there and is no TAP device: choose another <target dev='...'/> or none";
  return "";
}

Result<void> bring_up(const Tap& tap, const model::Interface& nic) {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno(errno, "cannot open a socket to set up network devices");
  auto request = request_for(tap.name);
  if (!request) return pass_on(request);
  // The guest's address with a high first byte: a bridge takes the lowest of its devices' for its own, and must not
  // change it with every guest.
  if (nic.mac) {
    request->ifr_hwaddr.sa_family = ARPHRD_ETHER;
    std::memcpy(request->ifr_hwaddr.sa_data, nic.mac->bytes.data(), nic.mac->bytes.size());
    request->ifr_hwaddr.sa_data[0] = static_cast<char>(0xfe);
    if (::ioctl(socket.get(), SIOCSIFHWADDR, &*request) < 0)
      return fail_errno(errno, "cannot set the address of network device '" + tap.name + "'");
  }
  if (!nic.bridge.empty()) {
    auto joining = request_for(nic.bridge);
    if (!joining) return pass_on(joining);
    joining->ifr_ifindex = static_cast<int>(::if_nametoindex(tap.name.c_str()));
    if (::ioctl(socket.get(), SIOCBRADDIF, &*joining) < 0)
      return fail_errno(errno, "cannot add network device '" + tap.name + "' to bridge '" + nic.bridge +
                                   "'; a bridge of that name must be there");
  }
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &*request) < 0)
    return fail_errno(errno, "cannot read the flags of network device '" + tap.name + "'");
  request->ifr_flags = static_cast<short>(request->ifr_flags | IFF_UP);
  if (::ioctl(socket.get(), SIOCSIFFLAGS, &*request) < 0)
    return fail_errno(errno, "cannot bring network device '" + tap.name + "' up");
  return {};
}

}  // namespace

Result<Tap> open_tap(const model::Interface& nic) {
  if (auto fault = fault::at("qemu.tap"); !fault) return pass_on(fault);
  const bool managed = nic.managed.value_or(true);
  if (!managed && ::if_nametoindex(nic.target.c_str()) == 0)
    return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                fmt::format("target managed='no' but specified dev '{0}' doesn't exist; make it first (ip tuntap add "
                            "dev {0} mode tap)",
                            nic.target));
  auto request = request_for(nic.target.empty() ? kPattern : nic.target);
  if (!request) return pass_on(request);
  Tap tap{.fd = Fd(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)), .name = {}};
  if (!tap.fd) return fail_errno(errno, "Unable to open /dev/net/tun, is tun module loaded?");
  request->ifr_flags = IFF_TAP | IFF_NO_PI;
  if (nic.model.starts_with("virtio")) request->ifr_flags |= IFF_VNET_HDR;
  if (::ioctl(tap.fd.get(), TUNSETIFF, &*request) < 0)
    return fail_errno(errno, fmt::format("Unable to create tap device {}{}", request->ifr_name, why_none(errno)));
  tap.name = request->ifr_name;
  if (managed)
    if (auto up = bring_up(tap, nic); !up) return pass_on(up);
  return tap;
}

}  // namespace vireo::qemu
