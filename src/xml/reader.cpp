// The reader's parts that do not depend on a value's type.
#include "xml/reader.hpp"

#include <algorithm>

namespace vireo::xml {

namespace {
// QEMU's and other drivers' own elements below <domain> live in namespaces of this form.
constexpr std::string_view driver_namespaces = "http://libvirt.org/schemas/domain/";

std::vector<pugi::xml_node> parts_of(pugi::xml_node node) {
  std::vector<pugi::xml_node> parts;
  for (const auto& part : node.children())
    if (part.type() != pugi::node_comment && part.type() != pugi::node_pi) parts.push_back(part);
  return parts;
}

// The same name, attributes, text and children, whatever the white space between them.
bool says_the_same(pugi::xml_node a, pugi::xml_node b) {
  if (a.type() != b.type() || std::string_view(a.name()) != b.name() || std::string_view(a.value()) != b.value())
    return false;
  for (const auto& [one, other] : {std::pair(a, b), std::pair(b, a)})
    for (const auto& attribute : one.attributes()) {
      const auto same = other.attribute(attribute.name());
      if (!same || std::string_view(same.value()) != attribute.value()) return false;
    }
  return std::ranges::equal(parts_of(a), parts_of(b), says_the_same);
}

bool asked(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}
}  // namespace

void Reader::fail(int code, std::string detail, int domain) {
  if (!failed()) state_->failure = Error{.code = code, .detail = std::move(detail), .domain = domain};
}

void Reader::refuse(std::string_view what) {
  fail(VIR_ERR_CONFIG_UNSUPPORTED,
       fmt::format("{} is not supported by Vireo yet; remove it from domain '{}'", what, state_->domain_name),
       VIR_FROM_DOMAIN);
}

std::string_view Reader::parent() const { return node_.parent().name(); }

std::optional<std::string_view> Reader::raw(std::string_view name) {
  asked_attributes_.push_back(name);
  for (const auto& attribute : node_.attributes())
    if (attribute.name() == name) return attribute.value();
  return std::nullopt;
}

// libvirt takes the first and drops the rest without a word. Here nothing that was asked for is dropped.
void Reader::refuse_contradiction(const std::vector<pugi::xml_node>& same_name) {
  for (const auto& other : same_name)
    if (!says_the_same(same_name.front(), other))
      return fail(VIR_ERR_XML_ERROR,
                  fmt::format("element <{}> stands more than once in <{}> and says different things; leave one of them "
                              "in domain '{}'",
                              other.name(), element(), state_->domain_name),
                  VIR_FROM_DOMAIN);
}

void Reader::attr(std::string_view name, std::string& value) {
  if (const auto text = raw(name)) value = *text;
}

void Reader::hex(std::string_view name, unsigned& value, int /*digits*/) { number(name, value); }

void Reader::constant(std::string_view name, std::string_view value, bool required) {
  const auto text = raw(name);
  if (!text && required)
    fail(VIR_ERR_XML_ERROR, fmt::format("Missing required attribute '{}' in element '{}'", name, element()));
  if (text && *text != value) bad_value(name, *text);
}

void Reader::either(std::string_view name, std::optional<bool>& value, std::string_view yes, std::string_view no) {
  const auto text = raw(name);
  if (!text) return;
  if (*text == yes)
    value = true;
  else if (*text == no)
    value = false;
  else
    bad_value(name, *text);
}

void Reader::bad_value(std::string_view name, std::string_view value, std::string_view complaint) {
  if (schema_knows_value(parent(), element(), name, value)) {
    refuse(fmt::format("{}='{}' of element <{}> in <{}>", name, value, element(), parent()));
    return;
  }
  if (!complaint.empty())
    return fail(VIR_ERR_CONFIG_UNSUPPORTED, fmt::format("{} '{}'", complaint, value), VIR_FROM_DOMAIN);
  fail(VIR_ERR_XML_ERROR,
       fmt::format("Invalid value for attribute '{}' in element '{}': '{}'.", name, element(), value));
}

std::string Reader::own_text() const {
  std::string text;
  for (const auto& part : node_.children())
    if (part.type() == pugi::node_pcdata || part.type() == pugi::node_cdata) text += part.value();
  return text;
}

void Reader::text_number(std::uint64_t& value) {
  std::string text = own_text();
  const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.back())) text.pop_back();
  const auto first = std::ranges::find_if_not(text, blank);
  text.erase(text.begin(), first);
  if (const auto parsed = parse_number<std::uint64_t>(text))
    value = *parsed;
  else
    fail(VIR_ERR_XML_ERROR, fmt::format("Invalid value '{}' for element or attribute './{}[1]'", text, element()));
}

void Reader::text_child(std::string_view name, std::string& value) {
  child(name, true, [&value](Reader& io) { io.text(value); });
}

void Reader::flag(std::string_view name, bool& value) {
  if (child(name, true, [](Reader&) {})) value = true;
}

std::vector<pugi::xml_node> Reader::take_children(std::string_view name) {
  asked_children_.push_back(name);
  std::vector<pugi::xml_node> found;
  for (const auto& node : node_.children())
    if (node.type() == pugi::node_element && node.name() == name) found.push_back(node);
  return found;
}

void Reader::no_other_children(std::string_view complaint) {
  for (const auto& node : node_.children())
    if (node.type() == pugi::node_element && !asked(asked_children_, node.name()) &&
        !schema_knows_child(parent(), element(), node.name()))
      fail(VIR_ERR_CONFIG_UNSUPPORTED, fmt::format("{} '{}'", complaint, node.name()), VIR_FROM_DOMAIN);
}

void Reader::finish() {
  if (failed()) return;
  for (const auto& attribute : node_.attributes()) {
    const std::string_view name = attribute.name();
    if (asked(asked_attributes_, name) || !schema_knows_attribute(parent(), element(), name)) continue;
    return refuse(fmt::format("attribute '{}' of element <{}> in <{}>", name, element(), parent()));
  }
  for (const auto& node : node_.children()) {
    if (node.type() != pugi::node_element) continue;
    const std::string_view name = node.name();
    if (const auto colon = name.find(':'); colon != std::string_view::npos) {
      const std::string declared = fmt::format("xmlns:{}", name.substr(0, colon));
      for (pugi::xml_node at = node; at; at = at.parent())
        if (const auto uri = at.attribute(declared.c_str())) {
          if (std::string_view(uri.value()).starts_with(driver_namespaces))
            return refuse(fmt::format("element <{}> in <{}>", name, element()));
          break;
        }
      continue;
    }
    if (asked(asked_children_, name) || !schema_knows_child(parent(), element(), name)) continue;
    return refuse(fmt::format("element <{}> in <{}>", name, element()));
  }
}

}  // namespace vireo::xml
