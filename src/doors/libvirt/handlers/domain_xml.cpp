// dumpxml: a guest's definition as libvirt XML.
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "xml/domain.hpp"

namespace vireo::doors::libvirt {
namespace {

Result<wire::remote_domain_get_xml_desc_ret> get_xml(const Call& call,
                                                     const wire::remote_domain_get_xml_desc_args& args) {
  if (auto ok = check_flags(
          call, args.flags,
          VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_UPDATE_CPU | VIR_DOMAIN_XML_MIGRATABLE);
      !ok)
    return pass_on(ok);
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  const auto& d = **domain;
  const bool inactive = (args.flags & (VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_MIGRATABLE)) || !d.live;
  const auto& def = inactive && d.persistent ? *d.persistent : d.current();
  return wire::remote_domain_get_xml_desc_ret{.xml = xml::format_domain(def, {.inactive = inactive})};
}

}  // namespace

void register_domain_xml(HandlerTable& table) { table.read(proc::Remote::domain_get_xml_desc, &get_xml); }

}  // namespace vireo::doors::libvirt
