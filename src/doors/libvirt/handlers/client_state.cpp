// Finding guests, and refusing flags.
#include "doors/libvirt/handlers/client_state.hpp"

#include "core/stats/fresh.hpp"

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

Result<model::DomainViewPtr> find_running(const Call& call, const wire::remote_nonnull_domain& dom) {
  auto found = find_domain(call, dom);
  if (found && !(*found)->active()) return core::not_running();
  return found;
}

Result<const model::DomainDef*> chosen_definition(const model::DomainView& domain, unsigned flags) {
  if ((flags & VIR_DOMAIN_AFFECT_LIVE) && (flags & VIR_DOMAIN_AFFECT_CONFIG))
    return fail(VIR_ERR_INVALID_ARG,
                "flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive");
  if ((flags & VIR_DOMAIN_AFFECT_LIVE) && !domain.live)
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "domain is not running");
  if (!(flags & VIR_DOMAIN_AFFECT_CONFIG)) return &domain.current();
  if (!domain.persistent)
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_OPERATION_INVALID, "transient domains do not have any persistent config");
  return domain.persistent.get();
}

Result<void> check_flags(const Call& call, unsigned flags, unsigned known) {
  if (!(flags & ~known)) return {};
  return fail(VIR_ERR_INVALID_ARG,
              fmt::format("unsupported flags (0x{:x}) in function {}", flags & ~known, call.row->api));
}

}  // namespace vireo::doors::libvirt
