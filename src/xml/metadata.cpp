// Keeping foreign elements and laying them out. Their style is libxml2's (double quotes), because that is what
// applications that compare texts have seen so far.
#include "xml/metadata.hpp"

#include <algorithm>

#include "base/escape.hpp"
#include "xml/gate.hpp"

namespace vireo::xml {
namespace {

// What libxml2 escapes, which is not quite what libvirt does.
constexpr Replacements in_text = {{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'\r', "&#13;"}};
constexpr Replacements in_attribute = {{'<', "&lt;"},   {'>', "&gt;"},   {'&', "&amp;"}, {'\r', "&#13;"},
                                       {'"', "&quot;"}, {'\n', "&#10;"}, {'\t', "&#9;"}};

// Whether the element holds text of its own, so that white space inside it must stay as it is.
bool is_mixed(pugi::xml_node node) {
  return std::ranges::any_of(node.children(), [](pugi::xml_node child) {
    return child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata;
  });
}

void put(std::string& out, pugi::xml_node node, int depth, bool indent) {
  if (indent) out.append(static_cast<std::size_t>(depth) * 2, ' ');
  switch (node.type()) {
    case pugi::node_pcdata:
      out += escaped(node.value(), in_text);
      break;
    case pugi::node_cdata:
      out += fmt::format("<![CDATA[{}]]>", node.value());
      break;
    case pugi::node_comment:
      out += fmt::format("<!--{}-->", node.value());
      break;
    case pugi::node_pi:
      out += fmt::format("<?{} {}?>", node.name(), node.value());
      break;
    default: {
      out += fmt::format("<{}", node.name());
      for (const auto& attribute : node.attributes())
        out += fmt::format(" {}=\"{}\"", attribute.name(), escaped(attribute.value(), in_attribute));
      if (!node.first_child()) {
        out += "/>";
        break;
      }
      out += ">";
      const bool inside = indent && !is_mixed(node);
      if (inside) out += "\n";
      for (const auto& child : node.children()) put(out, child, depth + 1, inside);
      if (inside) out.append(static_cast<std::size_t>(depth) * 2, ' ');
      out += fmt::format("</{}>", node.name());
    }
  }
  if (indent) out += "\n";
}

// The URI of the element's own namespace; empty if it has none.
std::string namespace_of(pugi::xml_node node) {
  const std::string_view name = node.name();
  const auto colon = name.find(':');
  const std::string declared =
      colon == std::string_view::npos ? "xmlns" : fmt::format("xmlns:{}", name.substr(0, colon));
  for (pugi::xml_node at = node; at; at = at.parent())
    if (const auto uri = at.attribute(declared.c_str())) return uri.value();
  return {};
}

void load(pugi::xml_document& document, const model::MetadataElement& element) {
  document.load_buffer(element.xml.data(), element.xml.size(),
                       pugi::parse_cdata | pugi::parse_comments | pugi::parse_pi | pugi::parse_escapes);
}

// Takes the prefix off the names of all elements in the namespace. From the leaves up, because it is the names of the
// outer ones that declare it.
void strip_namespace(pugi::xml_node node, const std::string& uri) {
  for (auto child : node.children())
    if (child.type() == pugi::node_element) strip_namespace(child, uri);
  const std::string name = node.name();
  if (const auto colon = name.find(':'); colon != std::string::npos && namespace_of(node) == uri)
    node.set_name(name.substr(colon + 1).c_str());
}

void add_prefix(pugi::xml_node node, const std::string& key) {
  for (auto child : node.children())
    if (child.type() == pugi::node_element) add_prefix(child, key);
  if (namespace_of(node).empty()) node.set_name(fmt::format("{}:{}", key, node.name()).c_str());
}

bool is_prefix(std::string_view key) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.' || static_cast<unsigned char>(c) >= 0x80;
  };
  return !key.empty() && std::ranges::all_of(key, fits) && !(key[0] >= '0' && key[0] <= '9') && key[0] != '-' &&
         key[0] != '.';
}

}  // namespace

Result<model::MetadataElement> make_metadata(std::string_view text, const std::string& key, const std::string& uri) {
  if (!is_prefix(key))
    return fail(VIR_ERR_INVALID_ARG, fmt::format("'{}' cannot be the prefix of an XML namespace", key));
  if (auto checked = check_document(text); !checked) return pass_on(checked);
  pugi::xml_document document;
  load(document, {.namespace_uri = uri, .xml = std::string(text)});
  auto root = document.document_element();
  if (!root) return fail_from(VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL, "there is no element in the metadata");
  add_prefix(root, key);
  root.prepend_attribute(("xmlns:" + key).c_str()).set_value(uri.c_str());
  model::MetadataElement element{.namespace_uri = uri, .xml = {}};
  put(element.xml, root, 0, true);
  element.xml.pop_back();
  return element;
}

std::vector<model::MetadataElement> read_metadata(pugi::xml_node metadata) {
  std::vector<model::MetadataElement> elements;
  for (const auto& child : metadata.children()) {
    if (child.type() != pugi::node_element) continue;
    model::MetadataElement element{.namespace_uri = namespace_of(child), .xml = {}};
    if (element.namespace_uri.empty() ||
        std::ranges::find(elements, element.namespace_uri, &model::MetadataElement::namespace_uri) != elements.end())
      continue;
    // A namespace declared further out moves onto the element, so that it stands alone.
    pugi::xml_document own;
    pugi::xml_node copy = own.append_copy(child);
    for (pugi::xml_node at = metadata; at; at = at.parent())
      for (const auto& attribute : at.attributes())
        if (std::string_view(attribute.name()).starts_with("xmlns:") && !copy.attribute(attribute.name()))
          copy.append_copy(attribute);
    put(element.xml, copy, 0, true);
    element.xml.pop_back();
    elements.push_back(std::move(element));
  }
  return elements;
}

std::string metadata_without_namespace(const model::MetadataElement& element) {
  pugi::xml_document document;
  load(document, element);
  auto root = document.document_element();
  strip_namespace(root, element.namespace_uri);
  for (auto attribute = root.first_attribute(); attribute;) {
    const auto next = attribute.next_attribute();
    if (element.namespace_uri == attribute.value() && std::string_view(attribute.name()).starts_with("xmlns"))
      root.remove_attribute(attribute);
    attribute = next;
  }
  std::string out;
  put(out, root, 0, true);
  out.pop_back();
  return out;
}

std::string layout_metadata(const model::MetadataElement& element, int depth) {
  pugi::xml_document document;
  load(document, element);
  std::string out;
  put(out, document.document_element(), depth, true);
  return out;
}

}  // namespace vireo::xml
