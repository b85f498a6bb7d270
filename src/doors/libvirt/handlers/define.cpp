// define, create and undefine. A document of the usual size is read on the client's own door thread, in less time than
// handing it over would take; a large one, or one that is to be validated, by a worker.
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "xml/domain.hpp"

namespace vireo::doors::libvirt {
namespace {

// What a client sent to be defined or created.
struct Document {
  unsigned flags = 0;
  bool validate = false;
  std::string text;                                    // still to be read, or
  std::optional<Result<model::DomainDef>> definition;  // read already
};

Document read_if_small(std::string text, unsigned flags, unsigned validate_flag) {
  constexpr std::size_t small_bytes = 32 * 1024;
  Document document{.flags = flags, .validate = (flags & validate_flag) != 0};
  if (!document.validate && text.size() <= small_bytes)
    document.definition = xml::parse_domain(text);
  else
    document.text = std::move(text);
  return document;
}

asio::awaitable<Result<model::DomainDef>> definition_of(Workers& workers, Document document) {
  if (document.definition) co_return std::move(*document.definition);
  co_return co_await workers.run<model::DomainDef>(
      [text = std::move(document.text), validate = document.validate] {
        return xml::parse_domain(text, {.validate = validate});
      },
      Deadline::in(std::chrono::seconds(30)));
}

Document prepare_define(wire::remote_domain_define_xml_args args) {
  return read_if_small(std::move(args.xml), 0, VIR_DOMAIN_DEFINE_VALIDATE);
}

Document prepare_define_flags(wire::remote_domain_define_xml_flags_args args) {
  return read_if_small(std::move(args.xml), args.flags, VIR_DOMAIN_DEFINE_VALIDATE);
}

Document prepare_create(wire::remote_domain_create_xml_args args) {
  return read_if_small(std::move(args.xml_desc), args.flags, VIR_DOMAIN_START_VALIDATE);
}

// Both forms of the call, which differ in their arguments alone.
template <class Ret>
asio::awaitable<Result<Ret>> define(Call call, Document document) {
  if (auto ok = check_flags(call, document.flags, VIR_DOMAIN_DEFINE_VALIDATE); !ok) co_return pass_on(ok);
  auto definition = co_await definition_of(client(call).backends.workers, std::move(document));
  if (!definition) co_return pass_on(definition);
  auto domain = co_await core::define(host_of(call), std::move(*definition));
  if (!domain) co_return pass_on(domain);
  co_return Ret{.dom = to_wire(**domain)};
}

asio::awaitable<Result<wire::remote_domain_create_xml_ret>> create_xml(Call call, Document document) {
  const unsigned flags = document.flags;
  if (auto ok =
          check_flags(call, flags, VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_VALIDATE);
      !ok)
    co_return pass_on(ok);
  auto definition = co_await definition_of(client(call).backends.workers, std::move(document));
  if (!definition) co_return pass_on(definition);
  const core::StartOptions options{.paused = (flags & VIR_DOMAIN_START_PAUSED) != 0};
  auto domain = co_await core::create(host_of(call), std::move(*definition), options);
  if (!domain) co_return pass_on(domain);
  if (flags & VIR_DOMAIN_START_AUTODESTROY) client(call).core_side->autodestroy.add(host_of(call), **domain);
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
  table.change(Remote::domain_define_xml, &prepare_define, &define<wire::remote_domain_define_xml_ret>);
  table.change(Remote::domain_define_xml_flags, &prepare_define_flags,
               &define<wire::remote_domain_define_xml_flags_ret>);
  table.change(Remote::domain_create_xml, &prepare_create, &create_xml);
  table.change(Remote::domain_undefine, &undefine);
  table.change(Remote::domain_undefine_flags, &undefine_flags);
}

}  // namespace vireo::doors::libvirt
