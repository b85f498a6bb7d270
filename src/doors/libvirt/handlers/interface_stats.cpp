// What went over an interface (virDomainInterfaceStats), and the addresses behind it (virDomainInterfaceAddresses).
#include "core/stats/fresh.hpp"
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"

namespace vireo::doors::libvirt {
namespace {

// By its name on the host, or by its MAC address.
Result<const model::Interface*> find_interface(const model::DomainDef& live, const std::string& name) {
  const auto mac = model::MacAddress::parse(name);
  const model::Interface* found = nullptr;
  for (const auto& each : live.devices.interfaces) {
    if (mac ? each.mac != mac : each.target != name || name.empty()) continue;
    if (found)
      return fail_from(VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID,
                       "multiple devices matching MAC address " + name + " found");
    found = &each;
  }
  if (!found) return fail_from(VIR_FROM_DOMAIN, VIR_ERR_INVALID_ARG, "'" + name + "' is not a known interface");
  if (found->target.empty()) return fail(VIR_ERR_INTERNAL_ERROR, "Interface name not provided");
  return found;
}

asio::awaitable<Result<wire::remote_domain_interface_stats_ret>> interface_stats(
    Call call, wire::remote_domain_interface_stats_args args) {
  auto guest = find_running(call, args.dom);
  if (!guest) co_return pass_on(guest);
  auto interface = find_interface((*guest)->current(), args.device);
  if (!interface) co_return pass_on(interface);
  auto sample = co_await core::fresh_host_figures(host_of(call), *guest);
  if (!sample) co_return pass_on(sample);
  const auto& nets = (*sample)->host->nets;
  const auto found = std::ranges::find(nets, (*interface)->target, &model::NetCounts::target);
  if (found == nets.end()) co_return fail(VIR_ERR_INTERNAL_ERROR, "Interface not found");
  constexpr auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  co_return wire::remote_domain_interface_stats_ret{.rx_bytes = number(found->rx_bytes),
                                                    .rx_packets = number(found->rx_packets),
                                                    .rx_errs = number(found->rx_errors),
                                                    .rx_drop = number(found->rx_drops),
                                                    .tx_bytes = number(found->tx_bytes),
                                                    .tx_packets = number(found->tx_packets),
                                                    .tx_errs = number(found->tx_errors),
                                                    .tx_drop = number(found->tx_drops)};
}

// Those interfaces whose MAC address has answered to somebody on this host.
std::vector<wire::remote_domain_interface> from_neighbours(const model::DomainDef& live,
                                                           const std::vector<ports::Neighbour>& neighbours) {
  std::vector<wire::remote_domain_interface> out;
  for (const auto& interface : live.devices.interfaces) {
    if (!interface.mac) continue;
    const auto mac = interface.mac->text();
    wire::remote_domain_interface one{.name = interface.target, .hwaddr = mac, .addrs = {}};
    for (const auto& neighbour : neighbours)
      if (neighbour.mac == mac)
        one.addrs.push_back({.type = VIR_IP_ADDR_TYPE_IPV4, .addr = neighbour.address, .prefix = 0});
    if (!one.addrs.empty()) out.push_back(std::move(one));
  }
  return out;
}

Error why_no_agent(const model::DomainView& guest) {
  if (guest.state != VIR_DOMAIN_RUNNING) return core::not_running().error();
  const auto& channels = guest.current().devices.channels;
  const auto channel = std::ranges::find(channels, "org.qemu.guest_agent.0", &model::Channel::name);
  if (channel == channels.end())
    return {.code = VIR_ERR_ARGUMENT_UNSUPPORTED, .detail = "QEMU guest agent is not configured"};
  if (channel->state != model::ChannelState::connected)
    return {.code = VIR_ERR_AGENT_UNRESPONSIVE, .detail = "QEMU guest agent is not connected"};
  return {.code = VIR_ERR_ARGUMENT_UNSUPPORTED,
          .detail = "QEMU guest agent is not supported yet; ask for the source 'arp'"};
}

Result<wire::remote_domain_interface_addresses_ret> interface_addresses(
    const Call& call, const wire::remote_domain_interface_addresses_args& args) {
  if (auto ok = check_flags(call, args.flags, 0); !ok) return pass_on(ok);
  auto guest = find_running(call, args.dom);
  if (!guest) return pass_on(guest);
  const auto& live = (*guest)->current();
  wire::remote_domain_interface_addresses_ret ret;
  switch (args.source) {
    case VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE:
      return ret;  // leases are given to interfaces of virtual networks, and there are none
    case VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT:
      return std::unexpected(why_no_agent(**guest));
    case VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP:
      ret.ifaces = from_neighbours(live, client(call).backends.facts.neighbours());
      return ret;
    default:
      return fail(VIR_ERR_ARGUMENT_UNSUPPORTED, fmt::format("Unknown IP address data source {}", args.source));
  }
}

}  // namespace

void register_interface_stats(HandlerTable& table) {
  using proc::Remote;
  table.change(Remote::domain_interface_stats, &interface_stats);
  table.read(Remote::domain_interface_addresses, &interface_addresses);
}

}  // namespace vireo::doors::libvirt
