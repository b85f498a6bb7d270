// virDomainSetMetadata: title, description, and applications' own elements, Vireo's among them. The document is read on
// the client's own door thread; the verb only puts it in its place.
#include "xml/metadata.hpp"
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "xml/guest_element.hpp"

namespace vireo::doors::libvirt {
namespace {

struct Change {
  wire::remote_nonnull_domain dom;
  unsigned flags = 0;
  model::MetadataChangeEvent what;
  Result<core::DefinitionEdit> edit;
};

Result<void> put_element(model::DomainDef& definition, const std::string& uri,
                         const std::optional<model::MetadataElement>& element) {
  auto changed = definition;
  auto& metadata = changed.metadata;
  std::erase_if(metadata, [&](const model::MetadataElement& each) { return each.namespace_uri == uri; });
  if (element) metadata.push_back(*element);
  if (auto understood = xml::take_guest_element(changed); !understood) return understood;
  definition = std::move(changed);
  return {};
}

Result<core::DefinitionEdit> edit_of(const wire::remote_domain_set_metadata_args& args) {
  switch (args.type) {
    case VIR_DOMAIN_METADATA_DESCRIPTION:
      return [text = args.metadata.value_or("")](model::DomainDef& definition) -> Result<void> {
        definition.description = text;
        return {};
      };
    case VIR_DOMAIN_METADATA_TITLE:
      if (args.metadata && args.metadata->contains('\n'))
        return fail_from(VIR_FROM_DOM, VIR_ERR_INVALID_ARG, "metadata title can't contain newlines");
      return [text = args.metadata.value_or("")](model::DomainDef& definition) -> Result<void> {
        definition.title = text;
        return {};
      };
    case VIR_DOMAIN_METADATA_ELEMENT: {
      if (!args.uri || args.uri->empty())
        return fail_from(VIR_FROM_DOM, VIR_ERR_INVALID_ARG, "an element of metadata needs the URI of its namespace");
      std::optional<model::MetadataElement> element;
      if (args.metadata) {
        auto made = xml::make_metadata(*args.metadata, args.key.value_or(""), *args.uri);
        if (!made) return pass_on(made);
        element = std::move(*made);
      }
      return [uri = *args.uri, element = std::move(element)](model::DomainDef& definition) {
        return put_element(definition, uri, element);
      };
    }
    default:
      return fail(VIR_ERR_INVALID_ARG, fmt::format("unknown metadata type {}", args.type));
  }
}

Change prepare(wire::remote_domain_set_metadata_args args) {
  auto edit = edit_of(args);
  return {.dom = std::move(args.dom),
          .flags = args.flags,
          .what = {.type = args.type, .uri = std::move(args.uri)},
          .edit = std::move(edit)};
}

asio::awaitable<Result<Nothing>> set_metadata(Call call, Change change) {
  if (auto ok = check_flags(call, change.flags, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG); !ok)
    co_return pass_on(ok);
  if (!change.edit) co_return pass_on(change.edit);
  auto done = co_await core::set_metadata(host_of(call), ref_of(change.dom), std::move(*change.edit), change.flags,
                                          std::move(change.what));
  if (!done) co_return pass_on(done);
  co_return Nothing{};
}

}  // namespace

void register_metadata(HandlerTable& table) {
  table.change(proc::Remote::domain_set_metadata, &prepare, &set_metadata);
}

}  // namespace vireo::doors::libvirt
