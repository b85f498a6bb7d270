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

Result<model::UpWishes> up_wishes_of(const std::vector<model::MetadataElement>& metadata) {
  model::UpWishes wishes;
  const auto found = std::ranges::find(metadata, kGuestNamespace, &model::MetadataElement::namespace_uri);
  if (found == metadata.end()) return wishes;
  pugi::xml_document document;
  document.load_buffer(found->xml.data(), found->xml.size());
  const auto guest = document.document_element();
  if (local_name(guest) != "guest") return wishes;
  const auto up = own_child(guest, "up");
  if (!up) return wishes;

  const auto wrong = [](const char* how) {
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_XML_ERROR,
                     "<up> in the metadata of " + std::string(kGuestNamespace) + " " + how);
  };
  const auto console = up.attribute("console"), network = up.attribute("network");
  if (!console && !network) return wrong("must say what the sign is: console='TEXT' or network='yes'");
  wishes.console = console.value();
  if (console && wishes.console.empty()) return wrong("has an empty console text");
  if (wishes.console.size() > longest_text) return wrong("has a console text of more than 256 bytes");
  if (wishes.console.find_first_of("\r\n") != std::string::npos) return wrong("has a console text of several lines");
  const std::string_view word = network.value();
  if (network && word != "yes" && word != "no") return wrong("must say 'yes' or 'no' of network");
  wishes.network = word == "yes";
  return wishes;
}

}  // namespace vireo::xml
