// The gate is a small recursive-free scanner: one pass, one stack of open elements. It checks and keeps nothing.
#include "xml/gate.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

namespace vireo::xml {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
         (static_cast<unsigned char>(c) >= 0x80);
}

bool continues_name(char c) { return starts_name(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; }

// The characters that XML 1.0 allows.
bool is_xml_char(std::uint32_t c) {
  return c == 0x9 || c == 0xA || c == 0xD || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) ||
         (c >= 0x10000 && c <= 0x10FFFF);
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Result<void> run() {
    if (text_.size() > max_document_bytes)
      return fault(
          0, fmt::format("the document has {} bytes, more than the {} allowed", text_.size(), max_document_bytes));
    if (auto r = characters(); !r) return r;
    if (text_.starts_with("\xEF\xBB\xBF")) at_ += 3;
    if (looking_at("<?xml") && at_ + 5 < text_.size() && is_space(text_[at_ + 5]))
      if (auto r = skip_to("?>", "the XML declaration does not end"); !r) return r;
    bool seen_root = false;
    while (at_ < text_.size()) {
      if (open_.empty() && seen_root && !looking_at("<") && !is_space(text_[at_]))
        return fault(at_, "there is text after the document's root element");
      Result<void> r;
      if (text_[at_] != '<') {
        r = character_data(seen_root);
      } else if (looking_at("<!--")) {
        r = comment();
      } else if (looking_at("<![CDATA[")) {
        if (open_.empty()) return fault(at_, "CDATA stands outside the root element");
        r = skip_to("]]>", "a CDATA section does not end");
      } else if (looking_at("<!DOCTYPE")) {
        r = fault(at_, "a DOCTYPE is not accepted here; remove it");
      } else if (looking_at("<?")) {
        r = instruction();
      } else if (looking_at("</")) {
        r = end_tag();
      } else {
        if (open_.empty() && seen_root) return fault(at_, "there is more than one root element");
        seen_root = true;
        r = start_tag();
      }
      if (!r) return r;
    }
    if (!open_.empty())
      return fault(text_.size(), fmt::format("the document ends inside the element '{}'", open_.back().name));
    if (!seen_root) return fault(text_.size(), "the document is empty; a root element was expected");
    return {};
  }

 private:
  bool looking_at(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  Result<void> fault(std::size_t where, std::string what) const {
    where = std::min(where, text_.size());
    const std::size_t line = 1 + static_cast<std::size_t>(std::ranges::count(text_.substr(0, where), '\n'));
    const std::size_t last_break = text_.substr(0, where).rfind('\n');
    const std::size_t begin = last_break == std::string_view::npos ? 0 : last_break + 1;
    const std::size_t column = where - begin + 1;
    // A long line is cut so that the place stays in sight.
    constexpr std::size_t before = 60, width = 80;
    const std::size_t from = column > before ? where - before : begin;
    std::string shown;
    for (const char c : text_.substr(from, width)) {
      if (c == '\n') break;
      shown += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F ? '?' : c;
    }
    return fail_from(VIR_FROM_DOMAIN, VIR_ERR_XML_DETAIL,
                     fmt::format("(domain_definition):{}: {} (line {}, column {})\n{}\n{}^", line, what, line, column,
                                 shown, std::string(where - from, '-')));
  }

  // Valid UTF-8 and no character that XML forbids, in the whole document.
  Result<void> characters() const {
    for (std::size_t i = 0; i < text_.size();) {
      const auto first = static_cast<unsigned char>(text_[i]);
      std::uint32_t c = first;
      std::size_t extra = 0;
      if (first >= 0xF0) {
        extra = 3, c = first & 0x07U;
      } else if (first >= 0xE0) {
        extra = 2, c = first & 0x0FU;
      } else if (first >= 0x80) {
        extra = 1, c = first & 0x1FU;
      }
      if (first >= 0xF8 || (first >= 0x80 && first < 0xC2) || i + extra >= text_.size() + (extra == 0 ? 1 : 0))
        return fault(i, "the text is not valid UTF-8");
      for (std::size_t k = 1; k <= extra; ++k) {
        const auto next = static_cast<unsigned char>(text_[i + k]);
        if ((next & 0xC0U) != 0x80U) return fault(i, "the text is not valid UTF-8");
        c = (c << 6U) | (next & 0x3FU);
      }
      if ((extra == 2 && c < 0x800) || (extra == 3 && c < 0x10000)) return fault(i, "the text is not valid UTF-8");
      if (!is_xml_char(c)) return fault(i, fmt::format("the character with code {} is not allowed in XML", c));
      i += extra + 1;
    }
    return {};
  }

  Result<void> skip_to(std::string_view end, const char* complaint) {
    const std::size_t found = text_.find(end, at_);
    if (found == std::string_view::npos) return fault(at_, complaint);
    at_ = found + end.size();
    return {};
  }

  Result<void> comment() {
    const std::size_t begin = at_;
    at_ += 4;
    const std::size_t found = text_.find("--", at_);
    if (found == std::string_view::npos) return fault(begin, "a comment does not end");
    if (!text_.substr(found).starts_with("-->")) return fault(found, "'--' is not allowed inside a comment");
    at_ = found + 3;
    return {};
  }

  Result<void> instruction() {
    if (text_.substr(at_ + 2).starts_with("xml") && at_ + 5 < text_.size() && !continues_name(text_[at_ + 5]))
      return fault(at_, "an XML declaration is only allowed at the very beginning");
    return skip_to("?>", "a processing instruction does not end");
  }

  // '&' and what follows: one of XML's five entities or a character's number.
  Result<void> entity() {
    const std::size_t begin = at_++;
    const std::size_t end = text_.find(';', at_);
    if (end == std::string_view::npos || end - at_ > 32) return fault(begin, "an entity does not end with ';'");
    std::string_view name = text_.substr(at_, end - at_);
    at_ = end + 1;
    if (name == "lt" || name == "gt" || name == "amp" || name == "apos" || name == "quot") return {};
    if (!name.starts_with('#')) return fault(begin, fmt::format("the entity '{}' is not defined", name));
    name.remove_prefix(1);
    const bool hex = name.starts_with('x');
    if (hex) name.remove_prefix(1);
    std::uint32_t c = 0;
    const auto [ptr, status] = std::from_chars(name.data(), name.data() + name.size(), c, hex ? 16 : 10);
    if (status != std::errc{} || ptr != name.data() + name.size() || !is_xml_char(c))
      return fault(begin, "a character's number is not one that XML allows");
    return {};
  }

  Result<void> character_data(bool seen_root) {
    while (at_ < text_.size() && text_[at_] != '<') {
      if (open_.empty() && !is_space(text_[at_]))
        return fault(at_, seen_root ? "there is text after the document's root element"
                                    : "a start tag was expected, '<' not found");
      if (looking_at("]]>")) return fault(at_, "']]>' is not allowed in text");
      if (text_[at_] == '&') {
        if (auto r = entity(); !r) return r;
      } else {
        ++at_;
      }
    }
    return {};
  }

  std::string_view name() {
    const std::size_t begin = at_;
    if (at_ < text_.size() && starts_name(text_[at_]))
      while (at_ < text_.size() && continues_name(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  Result<void> end_tag() {
    const std::size_t begin = at_;
    at_ += 2;
    const std::string_view tag = name();
    if (open_.empty() || open_.back().name != tag)
      return fault(begin, open_.empty() ? fmt::format("the end tag '{}' closes nothing", tag)
                                        : fmt::format("the element '{}' is closed by the end tag of '{}'",
                                                      open_.back().name, tag));
    skip_space();
    if (!looking_at(">")) return fault(at_, fmt::format("the end tag of '{}' does not end with '>'", tag));
    ++at_;
    open_.pop_back();
    return {};
  }

  Result<void> start_tag() {
    const std::size_t begin = at_++;
    const std::string_view tag = name();
    if (tag.empty()) return fault(begin, "'<' is not followed by an element's name");
    if (open_.size() >= static_cast<std::size_t>(max_document_depth))
      return fault(begin, fmt::format("elements are nested more than {} deep", max_document_depth));
    if (!open_.empty() && ++open_.back().children > max_children)
      return fault(begin, fmt::format("'{}' holds more than {} elements", open_.back().name, max_children));
    std::vector<std::string_view> seen;
    for (;;) {
      const std::size_t gap = at_;
      skip_space();
      if (looking_at("/>")) {
        at_ += 2;
        return {};
      }
      if (looking_at(">")) {
        ++at_;
        open_.push_back({.name = tag});
        return {};
      }
      if (at_ >= text_.size()) return fault(begin, fmt::format("the start tag of '{}' does not end", tag));
      if (gap == at_) return fault(at_, fmt::format("white space was expected in the tag of '{}'", tag));
      const std::size_t where = at_;
      const std::string_view attribute = name();
      if (attribute.empty()) return fault(at_, fmt::format("an attribute was expected in the tag of '{}'", tag));
      if (std::ranges::find(seen, attribute) != seen.end())
        return fault(where, fmt::format("the attribute '{}' stands twice in '{}'", attribute, tag));
      if (seen.size() == max_attributes)
        return fault(where, fmt::format("'{}' has more than {} attributes", tag, max_attributes));
      seen.push_back(attribute);
      if (auto r = attribute_value(attribute); !r) return r;
    }
  }

  Result<void> attribute_value(std::string_view attribute) {
    skip_space();
    if (!looking_at("=")) return fault(at_, fmt::format("the attribute '{}' has no value", attribute));
    ++at_;
    skip_space();
    if (!looking_at("'") && !looking_at("\""))
      return fault(at_, fmt::format("the value of attribute '{}' is not quoted", attribute));
    const char quote = text_[at_++];
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '<') return fault(at_, fmt::format("'<' stands in the value of attribute '{}'", attribute));
      if (text_[at_] == '&') {
        if (auto r = entity(); !r) return r;
      } else {
        ++at_;
      }
    }
    if (at_ >= text_.size()) return fault(at_, fmt::format("the value of attribute '{}' does not end", attribute));
    ++at_;
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  struct Open {
    std::string_view name;
    std::size_t children = 0;
  };
  std::vector<Open> open_;
};

}  // namespace

Result<void> check_document(std::string_view text) { return Scanner(text).run(); }

}  // namespace vireo::xml
