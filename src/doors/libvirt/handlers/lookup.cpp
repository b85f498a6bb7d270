// Finding guests: by id, name and UUID, and lists of all kinds. All of it from one pinned version, without a lock.
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "model/list_filter.hpp"

namespace vireo::doors::libvirt {
namespace {

Result<wire::remote_domain_lookup_by_id_ret> by_id(const Call& call,
                                                   const wire::remote_domain_lookup_by_id_args& args) {
  const auto version = host_of(call).registry.versions().pin();
  if (const auto* found = version->by_id.find(args.id))
    return wire::remote_domain_lookup_by_id_ret{.dom = to_wire(**found)};
  return fail(VIR_ERR_NO_DOMAIN, "no domain with matching id " + std::to_string(args.id));
}

Result<wire::remote_domain_lookup_by_name_ret> by_name(const Call& call,
                                                       const wire::remote_domain_lookup_by_name_args& args) {
  const auto version = host_of(call).registry.versions().pin();
  if (const auto* found = version->by_name.find(args.name))
    return wire::remote_domain_lookup_by_name_ret{.dom = to_wire(**found)};
  return fail(VIR_ERR_NO_DOMAIN, "no domain with matching name '" + args.name + "'");
}

Result<wire::remote_domain_lookup_by_uuid_ret> by_uuid(const Call& call,
                                                       const wire::remote_domain_lookup_by_uuid_args& args) {
  const auto version = host_of(call).registry.versions().pin();
  if (const auto* found = version->by_uuid.find(Uuid{args.uuid}))
    return wire::remote_domain_lookup_by_uuid_ret{.dom = to_wire(**found)};
  return fail(VIR_ERR_NO_DOMAIN, "no domain with matching uuid '" + Uuid{args.uuid}.text() + "'");
}

Result<wire::remote_connect_list_all_domains_ret> list_all(const Call& call,
                                                           const wire::remote_connect_list_all_domains_args& args) {
  // The filter groups of virConnectListAllDomainsFlags are its first fourteen bits.
  if (auto ok = check_flags(call, args.flags, (VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT << 1) - 1U); !ok)
    return pass_on(ok);
  const auto version = host_of(call).registry.versions().pin();
  const auto domains = model::select(*version, args.flags);
  if (domains.size() > wire::REMOTE_DOMAIN_LIST_MAX)
    return fail_from(VIR_FROM_RPC, VIR_ERR_RPC,
                     fmt::format("Too many domains '{}' for limit '{}'; narrow the list by flags", domains.size(),
                                 wire::REMOTE_DOMAIN_LIST_MAX));
  wire::remote_connect_list_all_domains_ret ret;
  ret.ret = static_cast<std::uint32_t>(domains.size());
  if (!args.need_results) return ret;
  ret.domains.reserve(domains.size());
  for (const auto& domain : domains) ret.domains.push_back(to_wire(*domain));
  return ret;
}

Result<wire::remote_connect_num_of_domains_ret> count_active(const Call& call, const Nothing&) {
  const auto version = host_of(call).registry.versions().pin();
  return wire::remote_connect_num_of_domains_ret{.num = static_cast<std::int32_t>(version->by_id.size())};
}

Result<wire::remote_connect_num_of_defined_domains_ret> count_inactive(const Call& call, const Nothing&) {
  const auto version = host_of(call).registry.versions().pin();
  return wire::remote_connect_num_of_defined_domains_ret{
      .num = static_cast<std::int32_t>(version->by_uuid.size() - version->by_id.size())};
}

// How many entries a client asks for at most.
Result<void> check_most(const char* what, std::int32_t most) {
  if (most >= 0 && std::cmp_less_equal(most, wire::REMOTE_DOMAIN_LIST_MAX)) return {};
  return fail_from(
      VIR_FROM_RPC, VIR_ERR_RPC,
      most < 0 ? fmt::format("{} must be non-negative", what) : fmt::format("{} > REMOTE_DOMAIN_LIST_MAX", what));
}

Result<wire::remote_connect_list_domains_ret> list_ids(const Call& call,
                                                       const wire::remote_connect_list_domains_args& args) {
  if (auto ok = check_most("maxids", args.maxids); !ok) return pass_on(ok);
  const auto version = host_of(call).registry.versions().pin();
  wire::remote_connect_list_domains_ret ret;
  version->by_id.for_each([&](int id, const model::DomainViewPtr&) {
    if (std::cmp_less(ret.ids.size(), args.maxids)) ret.ids.push_back(id);
  });
  return ret;
}

Result<wire::remote_connect_list_defined_domains_ret> list_names(
    const Call& call, const wire::remote_connect_list_defined_domains_args& args) {
  if (auto ok = check_most("maxnames", args.maxnames); !ok) return pass_on(ok);
  const auto version = host_of(call).registry.versions().pin();
  wire::remote_connect_list_defined_domains_ret ret;
  version->by_uuid.for_each([&](const Uuid&, const model::DomainViewPtr& domain) {
    if (!domain->active() && std::cmp_less(ret.names.size(), args.maxnames)) ret.names.push_back(domain->name);
  });
  return ret;
}

}  // namespace

void register_lookup(HandlerTable& table) {
  using proc::Remote;
  table.read(Remote::domain_lookup_by_id, &by_id);
  table.read(Remote::domain_lookup_by_name, &by_name);
  table.read(Remote::domain_lookup_by_uuid, &by_uuid);
  table.read(Remote::connect_list_all_domains, &list_all);
  table.read(Remote::connect_num_of_domains, &count_active);
  table.read(Remote::connect_num_of_defined_domains, &count_inactive);
  table.read(Remote::connect_list_domains, &list_ids);
  table.read(Remote::connect_list_defined_domains, &list_names);
}

}  // namespace vireo::doors::libvirt
