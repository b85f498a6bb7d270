// Small facts about one guest: state, sizes, flags. Each from the published version, on the thread where it was asked.
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "xml/metadata.hpp"

namespace vireo::doors::libvirt {
namespace {

Result<wire::remote_domain_get_info_ret> get_info(const Call& call, const wire::remote_domain_get_info_args& args) {
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  const auto& d = **domain;
  const auto& def = d.current();
  wire::remote_domain_get_info_ret ret{};
  ret.state = static_cast<std::uint8_t>(d.state);
  ret.maxMem = def.memory_kib;
  ret.memory = def.current_memory_kib;
  ret.nrVirtCpu = static_cast<std::uint16_t>(def.vcpus());
  if (d.pid > 0) ret.cpuTime = client(call).backends.facts.process_cpu_time_ns(d.pid);
  return ret;
}

Result<wire::remote_domain_get_state_ret> get_state(const Call& call, const wire::remote_domain_get_state_args& args) {
  if (auto ok = check_flags(call, args.flags, 0); !ok) return pass_on(ok);
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  return wire::remote_domain_get_state_ret{.state = (*domain)->state, .reason = (*domain)->reason};
}

Result<wire::remote_domain_get_os_type_ret> get_os_type(const Call& call,
                                                        const wire::remote_domain_get_os_type_args& args) {
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  return wire::remote_domain_get_os_type_ret{.type = (*domain)->current().os.type};
}

Result<wire::remote_domain_get_max_memory_ret> get_max_memory(const Call& call,
                                                              const wire::remote_domain_get_max_memory_args& args) {
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  return wire::remote_domain_get_max_memory_ret{.memory = (*domain)->current().memory_kib};
}

// virDomainGetVcpusFlags: LIVE and CONFIG have the same values there.
Result<int> count_vcpus(const model::DomainView& domain, unsigned flags) {
  auto def = chosen_definition(domain, flags);
  if (!def) return pass_on(def);
  return static_cast<int>((flags & VIR_DOMAIN_VCPU_MAXIMUM) ? (*def)->vcpus_max : (*def)->vcpus());
}

Result<wire::remote_domain_get_vcpus_flags_ret> get_vcpus_flags(const Call& call,
                                                                const wire::remote_domain_get_vcpus_flags_args& args) {
  if (auto ok = check_flags(call, args.flags, VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM);
      !ok)
    return pass_on(ok);
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  auto count = count_vcpus(**domain, args.flags);
  if (!count) return pass_on(count);
  return wire::remote_domain_get_vcpus_flags_ret{.num = *count};
}

Result<wire::remote_domain_get_max_vcpus_ret> get_max_vcpus(const Call& call,
                                                            const wire::remote_domain_get_max_vcpus_args& args) {
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  // As libvirt has it, this old call is about running guests only.
  auto count = count_vcpus(**domain, VIR_DOMAIN_VCPU_LIVE | VIR_DOMAIN_VCPU_MAXIMUM);
  if (!count) return pass_on(count);
  return wire::remote_domain_get_max_vcpus_ret{.num = *count};
}

Result<wire::remote_domain_get_metadata_ret> get_metadata(const Call& call,
                                                          const wire::remote_domain_get_metadata_args& args) {
  if (auto ok = check_flags(call, args.flags, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG); !ok)
    return pass_on(ok);
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  auto def = chosen_definition(**domain, args.flags);
  if (!def) return pass_on(def);
  std::string text;
  switch (args.type) {
    case VIR_DOMAIN_METADATA_DESCRIPTION:
      text = (*def)->description;
      break;
    case VIR_DOMAIN_METADATA_TITLE:
      text = (*def)->title;
      break;
    case VIR_DOMAIN_METADATA_ELEMENT:
      for (const auto& element : (*def)->metadata)
        if (element.namespace_uri == args.uri) text = xml::metadata_without_namespace(element);
      break;
    default:
      return fail(VIR_ERR_INVALID_ARG, fmt::format("unknown metadata type {}", args.type));
  }
  if (text.empty())
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_NO_DOMAIN_METADATA, "Requested metadata element is not present");
  return wire::remote_domain_get_metadata_ret{.metadata = std::move(text)};
}

Result<wire::remote_domain_is_active_ret> is_active(const Call& call, const wire::remote_domain_is_active_args& args) {
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  return wire::remote_domain_is_active_ret{.active = (*domain)->active()};
}

Result<wire::remote_domain_is_persistent_ret> is_persistent(const Call& call,
                                                            const wire::remote_domain_is_persistent_args& args) {
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  return wire::remote_domain_is_persistent_ret{.persistent = (*domain)->persistent != nullptr};
}

// Whether the persistent definition was replaced while the guest ran.
Result<wire::remote_domain_is_updated_ret> is_updated(const Call& call,
                                                      const wire::remote_domain_is_updated_args& args) {
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  return wire::remote_domain_is_updated_ret{.updated = (*domain)->updated};
}

Result<wire::remote_domain_get_autostart_ret> get_autostart(const Call& call,
                                                            const wire::remote_domain_get_autostart_args& args) {
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  return wire::remote_domain_get_autostart_ret{.autostart = (*domain)->autostart};
}

// Vireo does not save guests yet, so none has a managed save.
Result<wire::remote_domain_has_managed_save_image_ret> has_managed_save(
    const Call& call, const wire::remote_domain_has_managed_save_image_args& args) {
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  return wire::remote_domain_has_managed_save_image_ret{.result = 0};
}

Result<wire::remote_domain_get_messages_ret> get_messages(const Call& call,
                                                          const wire::remote_domain_get_messages_args& args) {
  constexpr unsigned known = VIR_DOMAIN_MESSAGE_DEPRECATION | VIR_DOMAIN_MESSAGE_TAINTING;
  if (auto ok = check_flags(call, args.flags, known); !ok) return pass_on(ok);
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  wire::remote_domain_get_messages_ret ret;
  const bool wants_taints = !(args.flags & known) || (args.flags & VIR_DOMAIN_MESSAGE_TAINTING);
  if (wants_taints && (*domain)->tainted_by_monitor)
    ret.msgs.emplace_back("tainted: custom monitor control commands issued");
  return ret;
}

}  // namespace

void register_domain_facts(HandlerTable& table) {
  using proc::Remote;
  table.read(Remote::domain_get_info, &get_info);
  table.read(Remote::domain_get_state, &get_state);
  table.read(Remote::domain_get_os_type, &get_os_type);
  table.read(Remote::domain_get_max_memory, &get_max_memory);
  table.read(Remote::domain_get_vcpus_flags, &get_vcpus_flags);
  table.read(Remote::domain_get_max_vcpus, &get_max_vcpus);
  table.read(Remote::domain_get_metadata, &get_metadata);
  table.read(Remote::domain_is_active, &is_active);
  table.read(Remote::domain_is_persistent, &is_persistent);
  table.read(Remote::domain_is_updated, &is_updated);
  table.read(Remote::domain_get_autostart, &get_autostart);
  table.read(Remote::domain_has_managed_save_image, &has_managed_save);
  table.read(Remote::domain_get_messages, &get_messages);
}

}  // namespace vireo::doors::libvirt
