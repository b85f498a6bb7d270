// Reading Vireo's element, with nothing in it left out silently.
#include "xml/guest_element.hpp"

#include <algorithm>

#include "xml/metadata.hpp"
#include "xml/reader.hpp"

namespace vireo::xml {
namespace {

constexpr unsigned last_order = 65'535, longest_delay_s = 86'400;
constexpr std::size_t longest_text = 256;  // bytes

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

Result<std::string> read_up(pugi::xml_node node) {
  for (const auto& attribute : node.attributes())
    if (std::string_view(attribute.name()) != "console")
      return wrong(fmt::format("<up> knows console, not '{}'", attribute.name()));
  if (node.first_child()) return wrong("<up> holds nothing but its attribute console");
  std::string text = node.attribute("console").value();
  if (text.empty()) return wrong("console of <up> must say what the guest's console prints once it is up");
  if (text.size() > longest_text) return wrong(fmt::format("console of <up> may have at most {} bytes", longest_text));
  if (text.find_first_of("\r\n") != std::string::npos) return wrong("console of <up> must be a text of one line");
  return text;
}

Result<void> take_child(model::DomainDef& definition, pugi::xml_node child) {
  const std::string_view name = child.name();
  if (child.previous_sibling(child.name())) return wrong(fmt::format("<guest> holds <{}> once", name));
  if (name == "autostart") {
    auto plan = read_autostart(child);
    if (!plan) return pass_on(plan);
    definition.autostart_plan = *plan;
    return {};
  }
  if (name == "up") {
    auto text = read_up(child);
    if (!text) return pass_on(text);
    definition.up_console = std::move(*text);
    return {};
  }
  return wrong(
      fmt::format("<guest> holds <autostart order='0 to {}' delay_s='0 to {}'/> and <up console='TEXT'/>, and "
                  "nothing else",
                  last_order, longest_delay_s));
}

}  // namespace

Result<void> take_guest_element(model::DomainDef& definition) {
  definition.autostart_plan = {};
  definition.up_console.clear();
  const auto& metadata = definition.metadata;
  const auto mine = std::ranges::find(metadata, guest_namespace, &model::MetadataElement::namespace_uri);
  if (mine == metadata.end()) return {};
  const auto text = metadata_without_namespace(*mine);
  pugi::xml_document document;
  document.load_buffer(text.data(), text.size());
  const auto root = document.document_element();
  if (std::string_view(root.name()) != "guest")
    return wrong(fmt::format("the element must be <guest>, not <{}>", root.name()));
  if (const auto attribute = root.first_attribute())
    return wrong(fmt::format("<guest> has no attribute '{}'", attribute.name()));
  for (const auto& child : root.children())
    if (auto taken = take_child(definition, child); !taken) return taken;
  return {};
}

}  // namespace vireo::xml
