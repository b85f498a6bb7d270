// Finding the element, whatever its prefix.
#include "xml/guest_wishes.hpp"

#include <algorithm>
#include <pugixml.hpp>

namespace vireo::xml {
namespace {

constexpr std::size_t longest_text = 256;

std::string_view local_name(pugi::xml_node node) {
  const std::string_view name = node.name();
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

// The child that has this name and the same prefix.
pugi::xml_node own_child(pugi::xml_node parent, std::string_view name) {
  const std::string_view full = parent.name();
  const auto prefix = full.substr(0, full.size() - local_name(parent).size());
  for (const auto child : parent.children())
    if (child.name() == std::string(prefix) + std::string(name)) return child;
  return {};
}

}  // namespace

Result<std::string> up_console_of(const std::vector<model::MetadataElement>& metadata) {
  const auto found = std::ranges::find(metadata, kGuestNamespace, &model::MetadataElement::namespace_uri);
  if (found == metadata.end()) return std::string();
  pugi::xml_document document;
  document.load_buffer(found->xml.data(), found->xml.size());
  const auto guest = document.document_element();
  if (local_name(guest) != "guest") return std::string();
  const auto up = own_child(guest, "up");
  if (!up) return std::string();
  const std::string text = up.attribute("console").value();
  const auto wrong = [](const char* how) {
    return fail_from(
        VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
        std::string("the attribute console of <up> in the metadata of ") + std::string(kGuestNamespace) + " " + how);
  };
  if (text.empty()) return wrong("must say what the guest's console prints once it is up");
  if (text.size() > longest_text) return wrong("may have at most 256 bytes");
  if (text.find_first_of("\r\n") != std::string::npos) return wrong("must be a text of one line");
  return text;
}

}  // namespace vireo::xml
