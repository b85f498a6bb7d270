// qemu-monitor-command: the back door to a guest's monitor, in the qemu program of the protocol.
#include <libvirt/libvirt-qemu.h>

#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"

namespace vireo::doors::libvirt {
namespace {

asio::awaitable<Result<wire::qemu_domain_monitor_command_ret>> monitor_command(
    Call call, wire::qemu_domain_monitor_command_args args) {
  if (auto ok = check_flags(call, args.flags, VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP); !ok) co_return pass_on(ok);
  const bool human = (args.flags & VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP) != 0;
  auto answer = co_await core::monitor_command(host_of(call), ref_of(args.dom), std::move(args.cmd), human);
  if (!answer) co_return pass_on(answer);
  co_return wire::qemu_domain_monitor_command_ret{.result = std::move(*answer)};
}

}  // namespace

void register_monitor(HandlerTable& table) { table.change(proc::Qemu::domain_monitor_command, &monitor_command); }

}  // namespace vireo::doors::libvirt
