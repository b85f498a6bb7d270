// Finding guests, and refusing flags.
#include "doors/libvirt/handlers/client_state.hpp"

namespace vireo::doors::libvirt {

wire::remote_nonnull_domain to_wire(const model::DomainView& domain) {
  return {.name = domain.name, .uuid = domain.uuid.bytes, .id = domain.id};
}

Result<model::DomainViewPtr> find_domain(const model::HostVersion& version, const wire::remote_nonnull_domain& dom) {
  if (const auto* found = version.by_uuid.find(uuid_of(dom))) return *found;
  return fail(VIR_ERR_NO_DOMAIN, "no domain with matching uuid '" + uuid_of(dom).text() + "' (" + dom.name + ")");
}

Result<model::DomainViewPtr> find_domain(const Call& call, const wire::remote_nonnull_domain& dom) {
  const auto version = host_of(call).registry.versions().pin();
  return find_domain(*version, dom);
}

Result<void> check_flags(const Call& call, unsigned flags, unsigned known) {
  if (!(flags & ~known)) return {};
  return fail(VIR_ERR_INVALID_ARG,
              fmt::format("unsupported flags (0x{:x}) in function {}", flags & ~known, call.row->api));
}

}  // namespace vireo::doors::libvirt
