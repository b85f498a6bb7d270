// The handlers' table, and libvirt's conditions for read-only callers.
#include "doors/libvirt/handler.hpp"

#include "doors/libvirt/protocol/structs.hpp"

namespace vireo::doors::libvirt {
namespace {

bool asks_for_secure_domain(const wire::remote_domain_get_xml_desc_args& args) {
  // The migratable form contains what the secure form does.
  return (args.flags & (VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_MIGRATABLE)) != 0;
}
bool asks_for_secure_snapshot(const wire::remote_domain_snapshot_get_xml_desc_args& args) {
  return (args.flags & VIR_DOMAIN_SNAPSHOT_XML_SECURE) != 0;
}
bool asks_for_secure_checkpoint(const wire::remote_domain_checkpoint_get_xml_desc_args& args) {
  return (args.flags & VIR_DOMAIN_CHECKPOINT_XML_SECURE) != 0;
}
bool asks_for_secure_managed_save(const wire::remote_domain_managed_save_get_xml_desc_args& args) {
  return (args.flags & VIR_DOMAIN_SAVE_IMAGE_XML_SECURE) != 0;
}
bool asks_the_agent_for_vcpus(const wire::remote_domain_get_vcpus_flags_args& args) {
  return (args.flags & VIR_DOMAIN_VCPU_GUEST) != 0;
}
bool asks_the_agent_for_addresses(const wire::remote_domain_interface_addresses_args& args) {
  return args.source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT;
}

}  // namespace

HandlerTable::HandlerTable(asio::any_io_executor core)
    : core_(std::move(core)),
      remote_(procedures_of(proc::remote_program).size() + 1),
      qemu_(procedures_of(proc::qemu_program).size() + 1) {
  using enum proc::Remote;
  refuse_read_only_if(domain_get_xml_desc, &asks_for_secure_domain, "virDomainGetXMLDesc with secure flag");
  refuse_read_only_if(domain_snapshot_get_xml_desc, &asks_for_secure_snapshot,
                      "virDomainSnapshotGetXMLDesc with secure flag");
  refuse_read_only_if(domain_checkpoint_get_xml_desc, &asks_for_secure_checkpoint,
                      "virDomainCheckpointGetXMLDesc with secure flag");
  refuse_read_only_if(domain_managed_save_get_xml_desc, &asks_for_secure_managed_save,
                      "virDomainManagedSaveGetXMLDesc with secure flag");
  refuse_read_only_if(domain_get_vcpus_flags, &asks_the_agent_for_vcpus);
  refuse_read_only_if(domain_interface_addresses, &asks_the_agent_for_addresses);
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
