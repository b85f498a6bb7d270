// Reading Vireo's element, with nothing in it left out silently.
#include "xml/guest_element.hpp"

#include <algorithm>

#include "xml/metadata.hpp"
#include "xml/reader.hpp"

namespace vireo::xml {
namespace {

constexpr unsigned last_order = 65'535, longest_delay_s = 86'400;

std::unexpected<Error> wrong(const std::string& what) {
  return fail_from(VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR, fmt::format("metadata of {}: {}", guest_namespace, what));
}

Result<unsigned> number(pugi::xml_attribute attribute, unsigned last) {
  const auto value = parse_number<unsigned>(attribute.value());
  if (!value || *value > last)
    return wrong(fmt::format("{} of <autostart> must be a whole number from 0 to {}, not '{}'", attribute.name(), last,
                             attribute.value()));
  return *value;
}

Result<model::AutostartPlan> read_autostart(pugi::xml_node node) {
  model::AutostartPlan plan;
  for (const auto& attribute : node.attributes()) {
    const std::string_view name = attribute.name();
    if (name != "order" && name != "delay_s")
      return wrong(fmt::format("<autostart> knows order and delay_s, not '{}'", name));
    auto value = number(attribute, name == "order" ? last_order : longest_delay_s);
    if (!value) return pass_on(value);
    if (name == "order")
      plan.order = *value;
    else
      plan.delay_s = *value;
  }
  if (node.first_child()) return wrong("<autostart> holds nothing but its attributes order and delay_s");
  return plan;
}

}  // namespace

Result<model::AutostartPlan> read_guest_element(const std::vector<model::MetadataElement>& metadata) {
  const auto mine = std::ranges::find(metadata, guest_namespace, &model::MetadataElement::namespace_uri);
  if (mine == metadata.end()) return model::AutostartPlan{};
  const auto text = metadata_without_namespace(*mine);
  pugi::xml_document document;
  document.load_buffer(text.data(), text.size());
  const auto root = document.document_element();
  if (std::string_view(root.name()) != "guest")
    return wrong(fmt::format("the element must be <guest>, not <{}>", root.name()));
  if (const auto attribute = root.first_attribute())
    return wrong(fmt::format("<guest> has no attribute '{}'", attribute.name()));
  model::AutostartPlan plan;
  for (const auto& child : root.children()) {
    if (std::string_view(child.name()) != "autostart" || child.previous_sibling("autostart"))
      return wrong(fmt::format("<guest> holds <autostart order='0 to {}' delay_s='0 to {}'/>, once, and nothing else",
                               last_order, longest_delay_s));
    auto read = read_autostart(child);
    if (!read) return pass_on(read);
    plan = *read;
  }
  return plan;
}

}  // namespace vireo::xml
