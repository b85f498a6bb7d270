// define, create and undefine. The document is read by a worker: it may be large, and the core must not wait for it.
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "xml/domain.hpp"

namespace vireo::doors::libvirt {
namespace {

asio::awaitable<Result<model::DomainDef>> parse(Workers& workers, std::string text, bool validate) {
  return workers.run<model::DomainDef>(
      [text = std::move(text), validate] { return xml::parse_domain(text, {.validate = validate}); },
      Deadline::in(std::chrono::seconds(30)));
}

asio::awaitable<Result<model::DomainViewPtr>> define_from(Call call, std::string text, unsigned flags) {
  if (auto ok = check_flags(call, flags, VIR_DOMAIN_DEFINE_VALIDATE); !ok) co_return pass_on(ok);
  const bool validate = (flags & VIR_DOMAIN_DEFINE_VALIDATE) != 0;
  auto definition = co_await parse(client(call).backends.workers, std::move(text), validate);
  if (!definition) co_return pass_on(definition);
  co_return co_await core::define(host_of(call), std::move(*definition));
}

asio::awaitable<Result<wire::remote_domain_define_xml_ret>> define_xml(Call call,
                                                                       wire::remote_domain_define_xml_args args) {
  auto domain = co_await define_from(std::move(call), std::move(args.xml), 0);
  if (!domain) co_return pass_on(domain);
  co_return wire::remote_domain_define_xml_ret{.dom = to_wire(**domain)};
}

asio::awaitable<Result<wire::remote_domain_define_xml_flags_ret>> define_xml_flags(
    Call call, wire::remote_domain_define_xml_flags_args args) {
  auto domain = co_await define_from(std::move(call), std::move(args.xml), args.flags);
  if (!domain) co_return pass_on(domain);
  co_return wire::remote_domain_define_xml_flags_ret{.dom = to_wire(**domain)};
}

asio::awaitable<Result<wire::remote_domain_create_xml_ret>> create_xml(Call call,
                                                                       wire::remote_domain_create_xml_args args) {
  if (auto ok = check_flags(call, args.flags,
                            VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_VALIDATE);
      !ok)
    co_return pass_on(ok);
  const bool validate = (args.flags & VIR_DOMAIN_START_VALIDATE) != 0;
  auto definition = co_await parse(client(call).backends.workers, std::move(args.xml_desc), validate);
  if (!definition) co_return pass_on(definition);
  const core::StartOptions options{.paused = (args.flags & VIR_DOMAIN_START_PAUSED) != 0};
  auto domain = co_await core::create(host_of(call), std::move(*definition), options);
  if (!domain) co_return pass_on(domain);
  if (args.flags & VIR_DOMAIN_START_AUTODESTROY) client(call).core_side->autodestroy.add(host_of(call), **domain);
  co_return wire::remote_domain_create_xml_ret{.dom = to_wire(**domain)};
}

asio::awaitable<Result<Nothing>> undefine_with(Call call, wire::remote_nonnull_domain dom, unsigned flags) {
  // What these flags would remove or keep does not exist yet: managed saves, snapshots, checkpoints and NVRAM files.
  if (auto ok = check_flags(call, flags,
                            VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                                VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM |
                                VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA);
      !ok)
    co_return pass_on(ok);
  auto done = co_await core::undefine(host_of(call), ref_of(dom));
  if (!done) co_return pass_on(done);
  co_return Nothing{};
}

asio::awaitable<Result<Nothing>> undefine(Call call, wire::remote_domain_undefine_args args) {
  return undefine_with(std::move(call), std::move(args.dom), 0);
}

asio::awaitable<Result<Nothing>> undefine_flags(Call call, wire::remote_domain_undefine_flags_args args) {
  return undefine_with(std::move(call), std::move(args.dom), args.flags);
}

}  // namespace

void register_define(HandlerTable& table) {
  using proc::Remote;
  table.change(Remote::domain_define_xml, &define_xml);
  table.change(Remote::domain_define_xml_flags, &define_xml_flags);
  table.change(Remote::domain_create_xml, &create_xml);
  table.change(Remote::domain_undefine, &undefine);
  table.change(Remote::domain_undefine_flags, &undefine_flags);
}

}  // namespace vireo::doors::libvirt
