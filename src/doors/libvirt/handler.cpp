// The handlers' table, and libvirt's conditions for read-only callers.
#include "doors/libvirt/handler.hpp"

#include "doors/libvirt/protocol/structs.hpp"

namespace vireo::doors::libvirt {
namespace {

using Refused = std::optional<std::string>;

Refused secure_domain_xml(const wire::remote_domain_get_xml_desc_args& args) {
  // The migratable form contains what the secure form does.
  if (args.flags & (VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE)) return "virDomainGetXMLDesc with secure flag";
  return {};
}

Refused secure_snapshot_xml(const wire::remote_domain_snapshot_get_xml_desc_args& args) {
  if (args.flags & VIR_DOMAIN_SNAPSHOT_XML_SECURE) return "virDomainSnapshotGetXMLDesc with secure flag";
  return {};
}

Refused secure_checkpoint_xml(const wire::remote_domain_checkpoint_get_xml_desc_args& args) {
  if (args.flags & VIR_DOMAIN_CHECKPOINT_XML_SECURE) return "virDomainCheckpointGetXMLDesc with secure flag";
  return {};
}

Refused asks_the_agent_for_vcpus(const wire::remote_domain_get_vcpus_flags_args& args) {
  if (args.flags & VIR_DOMAIN_VCPU_GUEST) return "read only access prevents virDomainGetVcpusFlags";
  return {};
}

Refused asks_the_agent_for_addresses(const wire::remote_domain_interface_addresses_args& args) {
  if (args.source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
    return "read only access prevents virDomainInterfaceAddresses";
  return {};
}

}  // namespace

HandlerTable::HandlerTable(asio::any_io_executor core)
    : core_(std::move(core)),
      remote_(procedures_of(proc::remote_program).size() + 1),
      qemu_(procedures_of(proc::qemu_program).size() + 1) {
  refuse_read_only(proc::Remote::domain_get_xml_desc, &secure_domain_xml);
  refuse_read_only(proc::Remote::domain_snapshot_get_xml_desc, &secure_snapshot_xml);
  refuse_read_only(proc::Remote::domain_checkpoint_get_xml_desc, &secure_checkpoint_xml);
  refuse_read_only(proc::Remote::domain_get_vcpus_flags, &asks_the_agent_for_vcpus);
  refuse_read_only(proc::Remote::domain_interface_addresses, &asks_the_agent_for_addresses);
}

const HandlerTable::Entry* HandlerTable::find(const Procedure& row) const {
  const auto number = static_cast<std::size_t>(row.number);
  if (row.program == proc::remote_program) return &remote_[number];
  if (row.program == proc::qemu_program) return &qemu_[number];
  return nullptr;
}

std::unexpected<Error> HandlerTable::thrown_error(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return fail(VIR_ERR_INTERNAL_ERROR, e.what());
  } catch (...) {
    return fail(VIR_ERR_INTERNAL_ERROR, "the call ended in an unknown way");
  }
}

}  // namespace vireo::doors::libvirt
