// Parsing and formatting a whole definition: the gate, the parser, the bindings, the rules.
#include "xml/domain.hpp"

#include <strings.h>

#include "xml/bind/domain.hpp"
#include "xml/gate.hpp"
#include "xml/guest_element.hpp"
#include "xml/rules.hpp"
#include "xml/validate.hpp"

namespace vireo::xml {

std::optional<std::uint64_t> unit_bytes(std::string_view unit) {
  const std::string word(unit);
  const auto is = [&](const char* other) { return strcasecmp(word.c_str(), other) == 0; };
  if (word.empty() || is("b") || is("byte") || is("bytes")) return 1;
  constexpr std::string_view prefixes = "kmgtpe";
  std::uint64_t binary = 1, decimal = 1;
  for (const char prefix : prefixes) {
    binary *= 1024;
    decimal *= 1000;
    const std::string letter(1, prefix);
    if (is(letter.c_str()) || is((letter + "ib").c_str())) return binary;
    if (is((letter + "b").c_str())) return decimal;
  }
  return std::nullopt;
}

namespace {

// Far more than any machine has slots for. What completes a definition compares devices with each other.
constexpr std::ptrdiff_t max_devices = 2048;

// libvirt looks for what stands in these elements wherever one of them is: several count as one.
void join_parts(pugi::xml_node domain, const char* name) {
  pugi::xml_node first = domain.child(name);
  while (pugi::xml_node other = first.next_sibling(name)) {
    // A contradiction stays as it is, to be refused by name like any other.
    for (const auto& attribute : other.attributes()) {
      if (const auto said = first.attribute(attribute.name());
          said && std::string_view(said.value()) != attribute.value())
        return;
    }
    for (const auto& attribute : other.attributes())
      if (!first.attribute(attribute.name())) first.append_copy(attribute);
    while (pugi::xml_node child = other.first_child()) first.append_move(child);
    domain.remove_child(other);
  }
}

}  // namespace

Result<model::DomainDef> parse_domain(std::string_view text, ParseOptions options) {
  if (auto checked = check_document(text); !checked) return pass_on(checked);
  pugi::xml_document document;
  const auto parsed = document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!parsed) return fail_from(VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL, parsed.description());
  pugi::xml_node root = document.document_element();
  if (std::string_view(root.name()) != "domain")
    return fail_from(VIR_FROM_XML, VIR_ERR_XML_ERROR,
                     fmt::format("expecting root element of 'domain', not '{}'", root.name()));
  if (options.validate)
    if (auto valid = validate(text); !valid) return pass_on(valid);
  for (const char* name : {"os", "features", "clock", "pm", "devices"}) join_parts(root, name);

  const auto devices = root.child("devices").children();
  if (const auto count = std::distance(devices.begin(), devices.end()); count > max_devices)
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_CONFIG_UNSUPPORTED,
                     fmt::format("domain '{}' has {} devices, more than the {} that a guest may have",
                                 root.child_value("name"), count, max_devices));

  ReadState state{.live = options.live, .domain_name = root.child_value("name"), .failure = {}};
  model::DomainDef def;
  Reader io(root, state);
  bind_domain(io, def);
  io.finish();
  if (state.failure) return std::unexpected(std::move(*state.failure));
  if (auto understood = take_guest_element(def); !understood) return pass_on(understood);
  if (auto kept = check_rules(def); !kept) return pass_on(kept);
  return def;
}

std::string format_domain(const model::DomainDef& def, FormatOptions options) {
  Writer io(!options.inactive);
  io.open("domain");
  bind_domain(io, def);
  io.close("domain");
  return io.result();
}

}  // namespace vireo::xml
