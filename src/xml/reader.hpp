// The reading half of the two-way bindings: walks one element of a checked document and fills a value. It offers the
// same calls as Writer, so one function per element serves both. It remembers what the binding asked for; what is left
// over at the end of an element is refused by name if libvirt's schema knows it, and ignored otherwise. The first
// failure wins and everything after it does nothing. Touches nothing but the document.
#pragma once

#include <charconv>
#include <pugixml.hpp>

#include "base/error.hpp"
#include "model/names.hpp"
#include "xml/known.hpp"

namespace vireo::xml {

// What all readers of one document share.
struct ReadState {
  bool live = false;  // read what belongs to running guests too: id, aliases, chosen ports and terminals
  std::string domain_name;
  std::optional<Error> failure;
};

class Reader {
 public:
  static constexpr bool reading = true;

  Reader(pugi::xml_node node, ReadState& state) : node_(node), state_(&state) {}

  bool live() const { return state_->live; }
  bool failed() const { return state_->failure.has_value(); }
  void fail(int code, std::string detail, int domain = VIR_FROM_XML);
  // "… is not supported by Vireo yet; remove it from domain 'x'".
  void refuse(std::string_view what);

  std::string_view element() const { return node_.name(); }
  std::string_view parent() const;

  // --- attributes; each leaves its value alone if the document does not say it ---
  // Marks an attribute as dealt with and returns what the document says, if anything.
  std::optional<std::string_view> raw(std::string_view name);
  void attr(std::string_view name, std::string& value);
  template <class Number>
  void number(std::string_view name, Number& value);
  template <class Number>
  void number(std::string_view name, std::optional<Number>& value);
  // Written as 0x and at least `digits` digits; read in any form.
  void hex(std::string_view name, unsigned& value, int digits);
  // `complaint`: what libvirt says, with VIR_ERR_CONFIG_UNSUPPORTED, of a word that is none; without one it is an
  // invalid attribute (VIR_ERR_XML_ERROR).
  template <class Enum>
  void word(std::string_view name, Enum& value, std::string_view complaint = {});
  void yes_no(std::string_view name, std::optional<bool>& value) { either(name, value, "yes", "no"); }
  void on_off(std::string_view name, std::optional<bool>& value) { either(name, value, "on", "off"); }
  // An attribute that always has this value; anything else is refused or, if unknown to libvirt, an error.
  void constant(std::string_view name, std::string_view value, bool required = true);

  // --- text and children ---
  void text(std::string& value) { value = own_text(); }
  void text_number(std::uint64_t& value);
  // <name>value</name>
  void text_child(std::string_view name, std::string& value);
  // <name/>: there or not
  void flag(std::string_view name, bool& value);
  // <name …>: `bind` runs if the element is there. (`present` is for the writer.)
  // An element of which there can be only one may stand there again if it says the same.
  template <class Bind>
  bool child(std::string_view name, bool present, Bind bind);
  template <class T, class Bind>
  void list(std::string_view name, std::vector<T>& values, Bind bind);
  // The children of this name, for bindings that need more than a list.
  std::vector<pugi::xml_node> take_children(std::string_view name);
  // For the few elements of which libvirt takes no strangers: fails with the complaint for a child nobody asked for
  // that the schema does not know either.
  void no_other_children(std::string_view complaint);
  // To be called when a binding is through with an element.
  void finish();

  pugi::xml_node node() const { return node_; }

 private:
  void either(std::string_view name, std::optional<bool>& value, std::string_view yes, std::string_view no);
  void refuse_contradiction(const std::vector<pugi::xml_node>& same_name);
  void bad_value(std::string_view name, std::string_view value, std::string_view complaint = {});
  std::string own_text() const;

  pugi::xml_node node_;
  ReadState* state_;
  std::vector<std::string_view> asked_attributes_, asked_children_;
};

// Decimal, or hexadecimal with 0x, or octal with a leading 0, as libvirt reads numbers.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  }
  Number value{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (status != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class Number>
void Reader::number(std::string_view name, Number& value) {
  const auto text = raw(name);
  if (!text) return;
  if (const auto parsed = parse_number<Number>(*text))
    value = *parsed;
  else
    bad_value(name, *text);
}

template <class Number>
void Reader::number(std::string_view name, std::optional<Number>& value) {
  Number parsed{};
  if (node_.attribute(std::string(name).c_str())) {
    number(name, parsed);
    value = parsed;
  } else {
    raw(name);
  }
}

template <class Enum>
void Reader::word(std::string_view name, Enum& value, std::string_view complaint) {
  const auto text = raw(name);
  if (!text) return;
  if (const auto known = model::value_of<Enum>(*text))
    value = *known;
  else
    bad_value(name, *text, complaint);
}

template <class Bind>
bool Reader::child(std::string_view name, bool /*present*/, Bind bind) {
  const auto found = take_children(name);
  if (found.empty() || failed()) return false;
  refuse_contradiction(found);
  Reader sub(found.front(), *state_);
  bind(sub);
  sub.finish();
  return true;
}

template <class T, class Bind>
void Reader::list(std::string_view name, std::vector<T>& values, Bind bind) {
  for (const auto& node : take_children(name)) {
    if (failed()) return;
    Reader sub(node, *state_);
    bind(sub, values.emplace_back());
    sub.finish();
  }
}

}  // namespace vireo::xml
