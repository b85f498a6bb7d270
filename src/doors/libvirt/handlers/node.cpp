// What the machine is: host name, processors and memory.
#include <algorithm>

#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"

namespace vireo::doors::libvirt {
namespace {

Result<wire::remote_connect_get_hostname_ret> get_hostname(const Call& call, const Nothing&) {
  return wire::remote_connect_get_hostname_ret{.hostname = client(call).backends.facts.hostname()};
}

Result<wire::remote_node_get_info_ret> node_info(const Call& call, const Nothing&) {
  const auto node = client(call).backends.facts.node();
  wire::remote_node_get_info_ret ret{};
  std::copy_n(node.cpu_model.begin(), std::min(node.cpu_model.size(), ret.model.size() - 1), ret.model.begin());
  ret.memory = node.memory_kib;
  ret.cpus = static_cast<std::int32_t>(node.cpus);
  ret.mhz = static_cast<std::int32_t>(node.mhz);
  ret.nodes = static_cast<std::int32_t>(node.nodes);
  ret.sockets = static_cast<std::int32_t>(node.sockets);
  ret.cores = static_cast<std::int32_t>(node.cores);
  ret.threads = static_cast<std::int32_t>(node.threads);
  return ret;
}

// Limits per domain type, as libvirt's QEMU driver states them for its own: 16 without KVM, and KVM's recommendation
// is the number of processors.
Result<wire::remote_connect_get_max_vcpus_ret> max_vcpus(const Call& call,
                                                         const wire::remote_connect_get_max_vcpus_args& args) {
  if (&host_of(call) == &client(call).backends.test) return wire::remote_connect_get_max_vcpus_ret{.max_vcpus = 32};
  const std::string type = args.type.value_or("qemu");
  if (type == "qemu") return wire::remote_connect_get_max_vcpus_ret{.max_vcpus = 16};
  if (type == "kvm")
    return wire::remote_connect_get_max_vcpus_ret{
        .max_vcpus = static_cast<std::int32_t>(client(call).backends.facts.node().cpus)};
  return fail(VIR_ERR_INVALID_ARG, "unknown type '" + type + "'; known are 'qemu' and 'kvm'");
}

}  // namespace

void register_node(HandlerTable& table) {
  using proc::Remote;
  table.read(Remote::connect_get_hostname, &get_hostname);
  table.read(Remote::node_get_info, &node_info);
  table.read(Remote::connect_get_max_vcpus, &max_vcpus);
}

}  // namespace vireo::doors::libvirt
